"""The backend that comes up in the background."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from fake import Fake

from playground import backends
from playground.backends import Backend, Request
from playground.ui.later import Later, kept, remember, remembered


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PLAYGROUND_PRETRAINED", str(tmp_path / "pretrained"))
    return tmp_path


def test_it_waits_for_the_backend_then_is_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "pick", Fake)
    later, warm = Later(), Event()
    later.start(then=warm.set)
    assert later.ready().describe() == later.describe() == Fake().describe()
    assert [type(v).__name__ for v in later.run(Request("alpha", "watch"))] == ["Film"]
    assert later.sheet("alpha").startswith(b"\x89PNG")
    assert warm.wait(10)  # it also keeps the shelf, which must not happen during the next test


def test_the_shelf_of_the_last_start_is_shown_until_something_changes(cache: Path) -> None:
    assert remembered() is None
    remember({"models": []})
    assert Later().describe() == {"models": [], "remembered": True}  # not started: nothing to wait for
    card = cache / "pretrained" / "new" / "card.json"
    card.parent.mkdir(parents=True)
    card.write_text("{}")
    assert remembered() is None
    remember({"models": [1]})
    kept().write_text("no json")
    assert remembered() is None


def test_a_backend_that_fails_says_so_to_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Backend:
        raise OSError("no such device")

    monkeypatch.setattr(backends, "pick", broken)
    later = Later()
    later.start()
    with pytest.raises(OSError, match="no such device"):
        later.describe()
