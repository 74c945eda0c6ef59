"""Scripts that run before Gradio's own, which adds a launch's ``head`` only when it runs itself."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEAD = b"<head>"


class Early:
    """Writes a script to the beginning of every page.

    Args:
        app: what stands behind it.
        script: JavaScript, run at once.
    """

    def __init__(self, app: ASGIApp, script: str) -> None:
        self.app, self.head = app, HEAD + f"<script>{script}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun: Message | None = None  # of a page, until it is all there
        parts: list[bytes] = []

        async def written(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                if MutableHeaders(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                    begun = message
                    return
            elif begun is not None and message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if message.get("more_body"):
                    return
                page = b"".join(parts).replace(HEAD, self.head, 1)
                if scope["method"] != "HEAD":
                    MutableHeaders(raw=begun["headers"])["content-length"] = str(len(page))
                await send(begun)
                message = {**message, "body": page}
            await send(message)

        await self.app(scope, receive, written)
