"""Only the latest run of a wire counts."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from playground.ui.latest import MOST, Latest


def messages(closed: list[int], run: int) -> Generator[dict[str, Any]]:
    try:
        for seq in range(3):
            yield {"run": run, "seq": seq}
    finally:
        closed.append(run)


def test_a_later_run_ends_an_earlier_one_at_its_next_view() -> None:
    latest, closed = Latest(), list[int]()
    first = latest.during("page.0", 1, messages(closed, 1))
    assert next(first)["seq"] == 0
    assert [m["seq"] for m in latest.during("page.0", 2, messages(closed, 2))] == [0, 1, 2]
    assert list(first) == []
    assert closed == [2, 1]
    assert latest.counts("page.1", 1), "another wire is another matter"


def test_what_comes_too_late_says_only_that_it_is_over() -> None:
    latest, closed = Latest(), list[int]()
    latest.since("page.0", 5)
    assert list(latest.during("page.0", 4, messages(closed, 4))) == [{"run": 4, "seq": 0, "views": [], "done": True}]


def test_a_page_can_stop_its_runs_and_names_are_not_kept_for_ever() -> None:
    latest = Latest()
    (halt,) = latest.functions()
    assert halt({"runs": {"page.0": 3}}) == {"ok": True}
    assert not latest.counts("page.0", 3)
    assert latest.counts("page.0", 4)
    assert halt({"runs": 3})["ok"] is False
    for k in range(MOST):
        latest.since(f"other.{k}", 1)
    assert latest.counts("page.0", 3)
