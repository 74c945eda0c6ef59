"""Whether a density knows its own kind of pictures from another."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np

from playground.activities.densities import told
from playground.capabilities import Density, LogProb
from playground.data import Dataset
from playground.knobs import Choice, Others, Refused, Slider
from playground.pictures import chosen
from playground.rng import Rng
from playground.strangers import USUAL, another, choices, foreign, noise
from playground.views import Curve, Table, Text, View
from playground.weighing import roc_area, roc_curve, weigh

ORDER = 75
FEWEST = 10  # of each kind: with fewer the area says nothing
AGAINST = ("another data set", "noise")


@dataclass(frozen=True)
class Verdict:
    """One model's log-probabilities of the two kinds of pictures, and the area under their ROC curve, if enough."""

    known: LogProb
    inside: np.ndarray
    outside: np.ndarray
    area: float | None = None
    stderr: float | None = None


def tell_apart(
    model: Density,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    n: Annotated[int, Slider(FEWEST, 500, 10, help="pictures of each kind")] = 100,
    against: Annotated[str, Choice(*AGAINST, help="what to tell the model's own test pictures from")] = AGAINST[0],
    strange_set: Annotated[str, Choice(*choices(), help="which other data set")] = USUAL,
    patience: Annotated[
        int, Slider(5, 120, help="seconds each model gets; a slow one then weighs fewer pictures")
    ] = 20,
    others: Annotated[
        Mapping[str, Density], Others(most=7, start=4, help="further models for the same pictures")
    ] = MappingProxyType({}),
    **own: Any,
) -> Iterator[View]:
    """Tell two kinds of pictures apart by their log p alone: does the model find its own kind more probable?"""
    started = time.perf_counter()
    levels, kinds, note = pairs(data, rng, n, against, strange_set)
    field = {title: model, **others}
    verdicts: dict[str, Verdict] = {}
    for name, member in field.items():
        weighing = weigh(member, levels, rng.seed, own if member is model else {}, patience)
        known = yield from told(weighing, name, len(verdicts), len(field), len(levels))
        verdicts[name] = judged(known)
        yield Text(key="lesson", text=lesson(verdicts, kinds))
        yield curves(verdicts, kinds, note, time.perf_counter() - started)
        yield figures(verdicts, kinds, n)


def pairs(data: Dataset, rng: Rng, n: int, against: str, name: str) -> tuple[np.ndarray, tuple[str, str], str]:
    """Pictures (2n, *shape) uint8, own and strange by turns, so that any part has both; their names, and a note."""
    inside, _, note = chosen(data, rng, n)
    if against == "noise":
        outside, what = noise(data, rng, n), "noise"
    else:
        other = another(data, name)
        if other.name == data.name:
            raise Refused(f"{data.title} cannot be told from itself; choose another data set.")
        outside, _, further = foreign(data, other, rng, n)
        what, note = other.title, "".join(dict.fromkeys((note, further)))
    n = min(len(inside), len(outside))
    both = np.stack([inside[:n], outside[:n]], 1)
    return both.reshape(2 * n, *data.shape), (data.title, what), note


def judged(known: LogProb) -> Verdict:
    """The values of both kinds, as many of each, and how well they tell them apart."""
    values = known.nats.double().numpy()
    n = len(values) // 2
    inside, outside = values[0 : 2 * n : 2], values[1 : 2 * n : 2]
    area, stderr = roc_area(inside, outside) if n >= FEWEST else (None, None)
    return Verdict(known, inside, outside, area, stderr)


def curves(verdicts: Mapping[str, Verdict], kinds: tuple[str, str], note: str, seconds: float) -> Curve:
    """The ROC curves of all models, and the diagonal of a guess."""
    lines = {name: roc_curve(v.inside, v.outside) for name, v in verdicts.items() if v.area is not None}
    lines["guessing"] = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    longest = max(len(x) for x, _ in lines.values())
    padded = [[np.append(part, np.full(longest - len(part), np.nan)) for part in line] for line in lines.values()]
    x, y = np.array(padded).swapaxes(0, 1)
    return Curve(
        key="roc",
        series=tuple(lines),
        x=x,
        y=y,
        axes=(f"share of {kinds[1]} above a threshold on log p", f"share of {kinds[0]} above it"),
        title=f"{kinds[0]} against {kinds[1]}, by log p alone",
        caption=(
            f"Each point is one threshold: all pictures of a higher log p are taken for {kinds[0]}. A curve along the "
            "top left is right about all; one below the diagonal would be right more often if it said the "
            f"opposite.{note}"
        ),
        seconds=seconds,
    )


def figures(verdicts: Mapping[str, Verdict], kinds: tuple[str, str], n: int) -> Table:
    """The area under each curve, and what was weighed."""
    rows = tuple(_figures(name, v) for name, v in verdicts.items())
    caption = (
        f"Area under the curve: how often a picture of {kinds[0]} gets a higher log p than one of {kinds[1]}. 1 is "
        "always, 0.5 is guessing, below it the strange ones are the more probable. ±: its standard error (DeLong et "
        "al. 1988); none where no pair was in the wrong order, which does not mean that none ever is. Mean log p in "
        "nats; those of different measures have no common scale, areas have."
    )
    if any(len(v.inside) < n for v in verdicts.values()):
        caption += f" A model with fewer than {n} ran out of time: give it more patience."
    columns = ("model", "area", f"log p of {kinds[0]}", f"log p of {kinds[1]}", "kind, of", "of each")
    return Table(key="areas", columns=columns, rows=rows, caption=caption)


def lesson(verdicts: Mapping[str, Verdict], kinds: tuple[str, str]) -> str:
    """What these very areas say."""
    areas = {n: (v.area, 2 * v.stderr) for n, v in verdicts.items() if v.area is not None and v.stderr is not None}
    fooled = [name for name, (area, error) in areas.items() if area + error < 0.5]
    blind = [name for name, (area, error) in areas.items() if abs(area - 0.5) <= error]
    if not areas:
        return f"No model got through {FEWEST} pictures of each kind: give them more patience, or choose quicker ones."
    if fooled:
        return (
            f"{', '.join(fooled)}: trained on {kinds[0]}, and finds {kinds[1]} the more probable. This is a known "
            "failure of likelihoods (Nalisnick et al. 2019, arXiv:1810.09136): most of log p is background, and even "
            "pictures get much of it whatever they show. Dividing by the probability under a model of the background "
            "mends much of it (Ren et al. 2019, arXiv:1906.02845)."
        )
    if blind:
        return f"{', '.join(blind)}: with so many pictures, log p does not tell {kinds[0]} from {kinds[1]}."
    return (
        f"Log p finds {kinds[0]} the more probable here. That need not be so: flows trained on Fashion-MNIST in 256 "
        "greys were found to give MNIST the higher density (Nalisnick et al. 2019, arXiv:1810.09136)."
    )


def _figures(name: str, verdict: Verdict) -> tuple[str | float | None, ...]:
    means = [f"{k.mean():,.0f}".replace("-", "−") if len(k) else None for k in (verdict.inside, verdict.outside)]
    what = f"{verdict.known.kind}, {verdict.known.measure}"
    if verdict.area is None or verdict.stderr is None:
        return name, None, *means, what, len(verdict.inside)
    return name, f"{verdict.area:.3f} ± {verdict.stderr:.3f}", *means, what, len(verdict.inside)
