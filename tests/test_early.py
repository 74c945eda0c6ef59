"""Scripts written to the beginning of pages: whole pages, of whatever pieces, and nothing but pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.ui.early import Early

PAGE = "<!doctype html><head><title>é</title></head><body><head></body>"


def ask(path: str, method: str = "GET") -> Any:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in PAGE.encode():
            yield bytes([byte])

    async def whole(request: Request) -> Response:
        return HTMLResponse(PAGE)

    async def pieced(request: Request) -> Response:
        return StreamingResponse(pieces(), media_type="text/html")

    async def data(request: Request) -> Response:
        return JSONResponse({"html": PAGE})

    app = Starlette(routes=[Route("/whole", whole), Route("/pieced", pieced), Route("/data", data)])
    return TestClient(Early(app, "early()")).request(method, path)


def test_a_page_begins_with_the_script_once() -> None:
    for path in ("/whole", "/pieced"):
        answer = ask(path)
        assert answer.text == PAGE.replace("<head>", "<head><script>early()</script>", 1)
        assert int(answer.headers["content-length"]) == len(answer.content)


def test_what_is_no_page_stays_as_it_is() -> None:
    assert ask("/data").json() == {"html": PAGE}
    assert ask("/missing").status_code == 404
    assert ask("/whole", "HEAD").content == b""
