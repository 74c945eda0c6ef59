"""What a part of the evaluation is, and how the parts are found: one file each, defining ``part``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tqdm import tqdm

import playground.evaluation
from playground.capabilities import Model
from playground.catalog import Card, Metric


@dataclass(frozen=True)
class Options:
    """What the command line sets.

    Args:
        n: samples for the distances.
        limit: the most test pictures a likelihood is measured on, or None.
        folder: where progress and samples are kept.
        quiet: no progress bars.
    """

    n: int = 2000
    limit: int | None = None
    folder: Path = Path("runs/evaluation")
    quiet: bool = False


@dataclass(frozen=True)
class Task:
    """One model to be measured: its card, the model with the stored weights, and the options."""

    card: Card
    model: Model
    options: Options

    def bar(self, total: int, what: str) -> Any:
        """A progress bar for ``total`` pictures."""
        return tqdm(total=total, desc=f"{self.card.name}: {what}", disable=self.options.quiet, unit="pictures")

    def say(self, sentence: str) -> None:
        """Tell whoever runs the command what was left out, and why."""
        print(f"{self.card.name}: {sentence}")


@dataclass(frozen=True)
class Part:
    """One kind of measurement.

    Args:
        name: what ``--only`` calls it.
        fits: whether a model can be measured so.
        settings: everything but the weights that the outcome depends on, as plain JSON values; a measurement with equal
            weights and settings is not repeated.
        measure: the metrics, by their key on the card; raises Refused with one sentence where it cannot.
        draws: whether it keeps samples on the disk.
        media: what the data of a model may be: see ``Model.medium``.
        on_request: measured only if ``--only`` names it: it needs what most machines lack.
    """

    name: str
    fits: Callable[[Task], bool]
    settings: Callable[[Task], dict[str, Any]]
    measure: Callable[[Task], dict[str, Metric]]
    draws: bool = False
    media: tuple[str, ...] = ("pictures",)
    on_request: bool = False

    def takes(self, task: Task) -> bool:
        """Whether it can measure the model."""
        return task.model.medium in self.media and self.fits(task)


@cache
def parts() -> dict[str, Part]:
    """Every part in this folder, by name."""
    names = (m.name for m in pkgutil.iter_modules(playground.evaluation.__path__) if m.name != "__main__")
    modules = (importlib.import_module(f"playground.evaluation.{name}") for name in names)
    return {m.part.name: m.part for m in modules if "part" in vars(m)}


def rounded(value: float) -> float:
    """Six significant digits: more would be noise on a card."""
    return float(f"{value:.6g}")
