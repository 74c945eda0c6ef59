"""Two densities against each other: the same pictures through both."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated

import numpy as np

from playground.capabilities import Density, LogProb
from playground.data import Dataset
from playground.knobs import Choice, Others, Slider
from playground.pictures import chosen
from playground.rng import Rng
from playground.strangers import USUAL, another, choices, foreign
from playground.views import Curve, Progress, Table, Text, View
from playground.weighing import roc_area, weigh

ORDER = 90
PAGE = "scores"
PATIENCE = 90.0  # seconds for one model
BINS = 36
EDGE = 0.5  # percent of the values at the upper end that share the last bin
ROOM = 3.0  # how much further down than the model's own pictures a chart shows, in their own spread
OF = {"8-bit pixels": "256 grey levels", "binary pixels": "black and white pixels", "continuous": "continuous pixels"}


def versus(
    model: Density,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    n: Annotated[int, Slider(20, 1000, help="pictures of each of the three sets")] = 100,
    another_set: Annotated[str, Choice(*choices(), help="which other data set")] = USUAL,
    others: Annotated[
        Mapping[str, Density], Others(most=1, start=1, help="the model to set it against")
    ] = MappingProxyType({}),
) -> Iterator[View]:
    """Set two densities against each other: log p of training, test and strange pictures, and picture by picture."""
    begun, strange = time.perf_counter(), another(data, another_set)
    sets, note = pictures(data, strange, rng, n)
    names = ("training pictures", "test pictures", strange.title)
    # one of each set in turn, so that what patience cuts off is cut off all of them
    levels = np.stack(list(sets), 1).reshape(-1, *data.shape)
    known: dict[str, LogProb] = {}
    field = {title: model, **others}
    for name, member in field.items():
        weighing = weigh(member, levels, rng.seed, {}, PATIENCE)
        while True:
            try:
                done = next(weighing)
            except StopIteration as end:
                known[name] = end.value
                break
            total = len(field) * len(levels)
            yield Progress(done=len(known) * len(levels) + done, total=total, text=f"{name}, {done} of {len(levels)}")
        yield histogram(known[name], name, f"histogram {len(known)}", names, note)
        yield figures(known, names, time.perf_counter() - begun)
    if len(known) == 2:
        yield scatter(known, names)


def pictures(data: Dataset, strange: Dataset, rng: Rng, n: int) -> tuple[tuple[np.ndarray, ...], str]:
    """``n`` training, test and strange pictures, (n, *shape) uint8 each, that the seed chooses, and a note to show."""
    train, _ = data.load("train")
    test, _, _ = chosen(data, rng, n)
    others, _, note = foreign(data, strange, rng, n)
    n = min(n, len(test), len(others), len(train))
    index = Rng(rng.seed, 2).uniform(len(train))[1].argsort()[:n].numpy()
    return (train[index], test[:n], others[:n]), note


def split(known: LogProb, sets: int) -> list[np.ndarray]:
    """The values of each set, (n,) float64 each, of pictures that came in turn."""
    values = known.nats.double().numpy()
    whole = len(values) // sets * sets
    return [values[:whole][i::sets] for i in range(sets)]


def window(parts: list[np.ndarray]) -> tuple[float, float]:
    """From where to where a chart shows log p: all of the model's own pictures, and of the others what is not too far.

    A picture of another kind may be a hundred times less probable; it would leave the others a hair's breadth.
    """
    own, every = np.concatenate(parts[:2]), np.concatenate(parts)
    own, every = own[np.isfinite(own)], every[np.isfinite(every)]
    if not len(own):
        return 0.0, 1.0
    high = float(np.percentile(every, 100 - EDGE))
    low = max(float(every.min()), float(own.min()) - ROOM * float(own.max() - own.min()))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def histogram(known: LogProb, title: str, key: str, names: tuple[str, ...], note: str) -> Curve:
    """How log p is spread over each set: outlines of histograms over common bins."""
    parts = split(known, len(names))
    low, high = window(parts)
    edges = np.linspace(low, high, BINS + 1)
    shares = [np.histogram(np.clip(part, edges[0], edges[-1]), edges)[0] / max(1, len(part)) for part in parts]
    outline = np.repeat(edges, 2)
    constant = ", up to a constant" if known.kind == "unnormalised" else ""
    return Curve(
        key=key,
        title=title,
        series=names,
        x=np.stack([outline] * len(names)),
        y=np.stack([np.concatenate([[0.0], np.repeat(share, 2), [0.0]]) for share in shares]),
        axes=(f"log p in nats of {OF[known.measure]} ({known.kind}{constant})", "share of the pictures"),
        caption=f"{len(parts[0]):,} pictures of each set; what lies further left shares the first bin. Training "
        "pictures further right than test pictures: learnt by heart. Others further right than test ones: they find "
        f"favour with it, and log p cannot tell.{note}",
    )


def figures(known: Mapping[str, LogProb], names: tuple[str, ...], seconds: float) -> Table:
    """Means with standard errors, and how well each model tells the other data set."""
    rows = []
    for name, found in known.items():
        parts = split(found, len(names))
        means = [f"{p.mean():,.1f} ± {p.std(ddof=1) / np.sqrt(len(p)):,.1f}".replace("-", "−") for p in parts]
        area, error = roc_area(parts[1], parts[2])
        rows.append((name, found.kind, OF[found.measure], *means, f"{area:.3f} ± {error:.3f}"))
    return Table(
        key="figures",
        columns=("model", "kind", "of", *(f"{name}, nats" for name in names), f"test from {names[2]}, ROC area"),
        rows=tuple(rows),
        title="Mean log p",
        caption="± one standard error over pictures. ROC area: how often a test picture is more probable than one "
        "of the other set; 1 tells them apart, 0.5 is a coin, below it is "
        "fooled (Nalisnick et al. 2019, arXiv:1810.09136).",
        seconds=seconds,
    )


def scatter(known: Mapping[str, LogProb], names: tuple[str, ...]) -> Curve | Text:
    """Each picture under both models, if their numbers have a common scale."""
    (first, a), (second, b) = known.items()
    if a.measure != b.measure:
        return Text(
            key="scatter",
            title="Picture by picture",
            text=f"No scatter: {first} says how probable a picture of {OF[a.measure]} is, {second} one of "
            f"{OF[b.measure]}. These are numbers of different things, without a common scale.",
        )
    x, y = split(a, len(names)), split(b, len(names))
    n = min(len(x[0]), len(y[0]))
    test = f"Of {n:,} test pictures {second} finds {int((y[1][:n] > x[1][:n]).sum()):,} more probable than {first} does"
    exact = a.kind == b.kind == "exact"
    warning = "" if exact else f"; but {first} gives {_article(a.kind)}, {second} {_article(b.kind)}"
    order = (
        f" Their orders of the test pictures agree to {agreement(x[1][:n], y[1][:n]):.2f} (Spearman; 1 is the same)."
    )
    both = np.stack([[part[:n] for part in x], [part[:n] for part in y]])  # (models, sets, n)
    lowest = np.array([window(x)[0], window(y)[0]])[:, None, None]
    beyond = ~np.isfinite(both).all(0) | (both < lowest).any(0)  # (sets, n)
    both[:, beyond] = np.nan
    left = f" {int(beyond.sum()):,} pictures are too improbable for this chart." if beyond.any() else ""
    return Curve(
        key="scatter",
        title="Picture by picture",
        series=names,
        x=both[0],
        y=both[1],
        axes=(f"log p, {first}, nats", f"log p, {second}, nats"),
        marks=True,
        caption=f"Each mark is a picture. {test}{warning}.{order}{left}",
    )


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """The rank correlation of two sets of values (n,) (Spearman 1904)."""
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (a, b)]
    return float(np.corrcoef(np.stack(ranks))[0, 1]) if len(a) > 1 else 1.0


def _article(kind: str) -> str:
    return {"exact": "the exact value", "lower bound": "a lower bound", "estimate": "an estimate"}.get(
        kind, "it up to a constant"
    )
