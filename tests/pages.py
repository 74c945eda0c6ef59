"""Pages under test: served on this machine, and opened in a browser that minds what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gradio import Blocks
from toyshelf import free_port

from playground.ui import launch_options

Open = Callable[..., Any]


def serve(page: Blocks) -> Iterator[str]:
    """The address of ``page`` while it is served."""
    page.queue(max_size=64)
    asked = {"server_name": "127.0.0.1", "server_port": free_port(), "prevent_thread_lock": True, "quiet": True}
    _, url, _ = page.launch(**asked, **launch_options())
    yield url
    page.close(verbose=False)


@contextmanager
def opening(browser: Any, ready: str) -> Iterator[Open]:
    """Opens addresses; at the end: nothing on the console, no script failed, nothing left the page's server.

    Args:
        browser: a Playwright browser.
        ready: the selector of a page that has come up.
    """
    contexts, wrong = [], []

    def opened(url: str, query: str = "", width: int = 1280, height: int = 800, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(90_000)
        page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda asked: outside(asked.url, url) and wrong.append(f"request: {asked.url}"))
        page.goto(url + query)
        page.wait_for_selector(ready)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def outside(asked: str, url: str) -> bool:
    return not asked.startswith((url, "data:", "blob:"))


def no_sideways(page: Any) -> bool:
    """Whether nothing is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
