"""Quality measured while one waits, with the interval as it shrinks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Density, LogProb, Measure, Samples, why_not
from playground.data import Dataset
from playground.evaluation.pictures import real
from playground.knobs import Choice, Refused, Slider
from playground.rng import MAX_SEED, Rng
from playground.views import Curve, Progress, Table, View

ORDER = 80
PAGE = "scores"
LONGEST = 120.0  # seconds, whatever was asked for
MOMENT = 1.5  # seconds that a press of Cancel may wait
MOST = 64  # pictures at a time
GROWTH = 1.2  # by how much a sample grows between two marks: each costs a jackknife
FRECHET, KERNEL, LIKELIHOOD = "Fréchet distance", "kernel distance", "likelihood"
KERNEL_MOST = 2000  # its matrices grow with the square
KERNEL_LEAST = 40  # four in each block of the jackknife

Statistic = Callable[[Tensor, Tensor], float]


@dataclass
class Marks:
    """A measurement at growing sample sizes: one list for each series."""

    names: tuple[str, ...]
    n: list[int] = field(default_factory=list)
    values: list[list[tuple[float, float]]] = field(default_factory=list)

    def add(self, n: int, *found: tuple[float, float]) -> None:
        """One more mark: the value and the standard error of each series."""
        self.n.append(n)
        self.values.append(list(found))

    def curve(self, words: str, log: str, caption: str, seconds: float) -> Curve:
        """All marks so far."""
        both = np.array(self.values)  # (marks, series, 2)
        return Curve(
            series=self.names,
            x=np.tile(np.array(self.n, float), (len(self.names), 1)),
            y=both[:, :, 0].T.copy(),
            error=both[:, :, 1].T.copy(),
            axes=("pictures", words),
            log=log,
            title=f"{words[0].upper()}{words[1:]}, as the sample grows",
            caption=caption,
            seconds=seconds,
        )

    def table(self) -> Table:
        """The last mark in figures."""
        rows = []
        for name, (value, error) in zip(self.names, self.values[-1], strict=True):
            ends = f"{value - 1.96 * error:.4g} to {value + 1.96 * error:.4g}"
            rows.append((name, f"{value:.4g}".replace("-", "−"), f"± {error:.2g}", ends.replace("-", "−")))
        return Table(
            key="figures",
            columns=(f"at n = {self.n[-1]:,}", "value", "standard error", "95 % interval"),
            rows=tuple(rows),
        )


def measure(
    model: Samples,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    what: Annotated[str, Choice(FRECHET, KERNEL, LIKELIHOOD, help="what to measure")] = FRECHET,
    n: Annotated[int, Slider(40, 5000, help="how many pictures")] = 512,
    **own: Any,
) -> Iterator[View]:
    """Measure now: the distance of new samples to test pictures, or a likelihood, with its interval as it shrinks."""
    if what == LIKELIHOOD:
        yield from _likelihood(model, rng, data, title, n)
    else:
        yield from _distance(model, rng, data, title, what, n, own)


def portions(n: int, limit: float = LONGEST) -> Iterator[range]:
    """Consecutive ranges that end at ``n``, each some ``MOMENT`` of the caller's work; fewer if time is up."""
    begun, done, size = time.perf_counter(), 0, 8
    while done < n and time.perf_counter() - begun < limit:
        started, part = time.perf_counter(), range(done, min(done + size, n))
        yield part
        done = part.stop
        spent = time.perf_counter() - started  # grown while quick: some models' calls cost the same for 1 and for 64
        size = min(MOST, 2 * size) if spent < MOMENT else max(4, size // 2) if spent > 3 * MOMENT else size


def _distance(
    model: Samples, rng: Rng, data: Dataset, title: str, what: str, n: int, own: dict[str, Any]
) -> Iterator[View]:
    # its library takes seconds to import: only whoever measures waits for it
    from playground.evaluation.fidelity import frechet, judge_for, kernel

    begun, judge, pixels = time.perf_counter(), judge_for(data.name), _pixels(model)
    statistic: Statistic = frechet if what == FRECHET else kernel
    least = 2 * judge.model.feature_size if what == FRECHET else KERNEL_LEAST
    if n < least:
        raise Refused(
            f"{n} pictures are too few for a {what} in {judge.model.feature_size} features: ask for at least {least}"
            + (", or for the kernel distance, which bears fewer." if what == FRECHET else ".")
        )
    test, train = real(data.name, pixels, "test", n).x, real(data.name, pixels, "train", n).x
    n = min(n, len(test), len(train), KERNEL_MOST if what == KERNEL else n)
    streams, white = rng.take(n), Rng((rng.seed + 1) % MAX_SEED, n)
    sets: list[list[Tensor]] = [[], [], []]  # features of test pictures, samples, training pictures
    marks = Marks((title, "as many training pictures"))
    yield Progress(done=0, total=n, text=f"drawing, 0 of {n:,}")
    for part in portions(n):
        x = model.sample(streams.pick(part), **own).clamp(0, 1).mul(255).round().div(255).cpu()
        if pixels == "binary pixels":  # its distribution: a coin for each pixel, with the grey it shows
            x = (white.pick(part).uniform(*x.shape[1:]) < x).float()
        chosen = slice(part.start, part.stop)
        for kept, pictures in zip(sets, (test[chosen], x, train[chosen]), strict=True):
            kept.append(judge.features(pictures))
        if part.stop >= least and (part.stop >= n or not marks.n or part.stop >= GROWTH * marks.n[-1]):
            yield from _marked(marks, [torch.cat(kept) for kept in sets], statistic, what, begun)
        yield Progress(done=part.stop, total=n, text=f"drawing, {part.stop:,} of {n:,}")
    if not marks.n:
        raise Refused(f"{LONGEST:.0f} seconds were not enough for {least} pictures of this model: give it fewer steps.")
    if part.stop < n:
        yield from _marked(marks, [torch.cat(kept) for kept in sets], statistic, what, begun, f"of the {n:,} asked for")


def _marked(
    marks: Marks, sets: list[Tensor], statistic: Statistic, what: str, begun: float, short: str = ""
) -> Iterator[View]:
    from playground.evaluation.fidelity import jackknife

    test, fake, train = sets
    if not marks.n or marks.n[-1] < len(fake):
        marks.add(len(fake), jackknife(statistic, test, fake), jackknife(statistic, test, train))
    caption = (
        f"Between {len(fake):,} new samples and as many test pictures, in the features of our own classifier; bars: "
        "one standard error, by a jackknife over 10 blocks."
    )
    if what == FRECHET:
        caption += " Of few pictures it comes out too large, for both: only values at the same n compare."
    if short:
        caption += f" Stopped after {LONGEST:.0f} seconds at {len(fake):,} {short}."
    yield marks.curve(what, "xy" if what == FRECHET else "x", caption, time.perf_counter() - begun)
    yield marks.table()


def _likelihood(model: Samples, rng: Rng, data: Dataset, title: str, n: int) -> Iterator[View]:
    if not isinstance(model, Density):
        reason = why_not(type(model), Density)  # type: ignore[type-abstract]
        raise Refused(f"{title} has no likelihood to measure: {reason}. Ask for a distance.")
    begun = time.perf_counter()
    known = _known(model)
    if known.kind == "unnormalised":
        raise Refused(f"{title} knows its log p up to a constant only, so it has no likelihood. Ask for a distance.")
    x = real(data.name, known.measure, "test", n).x
    n, streams = min(n, len(x)), Rng((rng.seed + 1) % MAX_SEED, n, model.device)
    bits = known.measure == "8-bit pixels"
    unit, scale = ("bits/dim", 1 / (x[0].numel() * math.log(2))) if bits else ("nats", 1.0)
    marks, values = Marks((f"{title} ({known.kind})",)), torch.empty(0).double()
    sign = {"lower bound": " It is a lower bound of log p: the true value is no larger than this."}.get(known.kind, "")
    for part in portions(n):
        found = model.log_prob(x[part.start : part.stop].to(model.device), streams.pick(part))
        values = torch.cat([values, -scale * found.nats.double().cpu()])
        if not values.isfinite().all():
            raise Refused(f"{title} calls one of these test pictures impossible: the mean has no end.")
        if part.stop >= 8 and (part.stop >= n or not marks.n or part.stop >= GROWTH * marks.n[-1]):
            marks.add(part.stop, (float(values.mean()), float(values.std()) / math.sqrt(len(values))))
            caption = f"Mean −log p of {part.stop:,} test pictures; bars: one standard error over pictures.{sign}"
            yield marks.curve(f"negative log-likelihood, {unit}", "x", caption, time.perf_counter() - begun)
            yield marks.table()
        yield Progress(done=part.stop, total=n, text=f"{part.stop:,} of {n:,} test pictures")


def _known(model: Density) -> LogProb:
    return model.log_prob(torch.zeros(1, *model.shape, device=model.device), Rng(0, 1, model.device))


def _pixels(model: Samples) -> Measure:
    """In which pixels samples are compared: a model of binary pixels by a coin for each."""
    binary = isinstance(model, Density) and _known(model).measure == "binary pixels"
    return "binary pixels" if binary else "8-bit pixels"
