"""The charting library, plotly.js: served from this machine, fetched by a browser when it shows the first chart."""

from __future__ import annotations

import gzip
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/plotly.min.js"
AGE = 24 * 3600  # seconds


@cache
def _library() -> bytes:
    """Its text, compressed once: 4.8 MB become 1.5, which takes half a second."""
    from plotly.offline import get_plotlyjs  # imported where it is used: a start without a chart does without

    return gzip.compress(get_plotlyjs().encode(), 6)


def library(request: Request) -> Response:
    """Answers a browser. A plain function, so it runs beside the server's loop, not in it."""
    headers = {"Cache-Control": f"public, max-age={AGE}", "Vary": "Accept-Encoding"}
    body = _library()
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, media_type="text/javascript", headers=headers)


def routes() -> list[Route]:
    """What ``launch(app_kwargs=...)`` needs to serve it."""
    return [Route(PATH, library)]
