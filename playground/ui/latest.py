"""Only the latest run of a wire counts: an earlier one ends at its next view, whoever started it.

Gradio's own way to stop a run cancels all of a page's runs of one function by name, the one just started among them,
and fails for a run that the server has not answered yet. Under a pen that comes down again at once both happen.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

from playground.knobs import Refused
from playground.ui.functions import Answer, answer

MOST = 4096  # wires remembered; what a page older than that began is not stopped by its next run
LONGEST = 64  # letters of a wire's name


class Latest:
    """Which runs of each wire still count. A wire's name is a page's own random letters and a number."""

    def __init__(self) -> None:
        self._first: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def since(self, wire: str, run: int) -> None:
        """From now on only ``run`` and later runs of ``wire`` count; they may come in any order."""
        with self._lock:
            self._first[wire] = max(run, self._first.pop(wire, run))
            if len(self._first) > MOST:
                self._first.popitem(last=False)

    def counts(self, wire: str, run: int) -> bool:
        """Whether ``run`` is still wanted."""
        with self._lock:
            return run >= self._first.get(wire, run)

    def during(self, wire: str, run: int, messages: Generator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """``messages`` for as long as ``run`` is the latest; then they are closed, which ends the work."""
        self.since(wire, run)
        if not self.counts(wire, run):
            yield {"run": run, "seq": 0, "views": [], "done": True}  # without a word Gradio calls it a failure
        with closing(messages):
            while self.counts(wire, run) and (message := next(messages, None)) is not None:
                yield message

    def functions(self) -> list[Callable[[Any], Answer]]:
        """What a page may ask: to stop."""

        @answer
        def halt(asked: dict[str, Any]) -> Answer:
            runs = asked.get("runs")
            if not isinstance(runs, dict) or len(runs) > LONGEST:
                raise Refused("To stop runs, name them.")
            for wire, run in runs.items():
                if len(wire) <= LONGEST and isinstance(run, int):
                    self.since(wire, run + 1)
            return {}

        return [halt]
