"""The same pictures through several densities."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np

from playground import strangers
from playground.activities.generate import draw
from playground.capabilities import Density, LogProb, Measure, Samples, Surprises
from playground.data import Dataset
from playground.knobs import Choice, Drawing, Others, Picture, Refused, Slider, Toggle
from playground.pictures import as_data, chosen, to_data, to_pixels
from playground.rng import Rng
from playground.strangers import FLAT, USUAL
from playground.views import Images, Progress, Table, Text, View
from playground.weighing import ranks, weigh

ORDER = 70
PATIENCE = 30.0  # seconds for one model
FLATS = {"none": (), "black": ("black",), "black and white": ("black", "white"), "all three": tuple(FLAT)}
MEASURES: dict[Measure, tuple[str, str]] = {
    "8-bit pixels": ("Pictures in 256 greys", "The probability of exactly this picture among all in 256 greys."),
    "binary pixels": (
        "Pictures in black and white",
        "The probability of exactly this picture among all in black and white: cut at one half, as shown.",
    ),
    "continuous": (
        "Pictures of continuous greys",
        "A density and no probability: it depends on the unit of a pixel and may exceed one.",
    ),
}
# From no surprise to much: the colours that matplotlib calls inferno, at five places.
RAMP = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], np.uint8)


@dataclass(frozen=True)
class Sheet:
    """Pictures and what they are.

    Args:
        levels: (n, *shape) uint8.
        names: what each is.
        own: how many are test pictures of the model's own data; they come first.
        strange: how many after them are certainly not of its kind.
        note: what else to know of them.
    """

    levels: np.ndarray
    names: tuple[str, ...]
    own: int
    strange: int
    note: str = ""


def densities(
    model: Density,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    test_pictures: Annotated[int, Slider(0, 6, help="of the model's own data set")] = 2,
    strange_pictures: Annotated[int, Slider(0, 6, help="test pictures of another data set")] = 2,
    strange_set: Annotated[str, Choice(*strangers.choices(), help="which other data set")] = USUAL,
    noise: Annotated[int, Slider(0, 4, help="pictures of pure noise")] = 1,
    flat: Annotated[str, Choice(*FLATS, help="pictures of one grey all over")] = "black and white",
    samples: Annotated[int, Slider(0, 6, help="new pictures drawn by the chosen model itself")] = 0,
    picture: Annotated[np.ndarray | None, Picture(help="your own picture, set among the others")] = None,
    drawing: Annotated[np.ndarray | None, Drawing(help="draw one more here; it is centred as theirs are")] = None,
    unit: Annotated[
        str, Choice("nats", "bits/dim", help="log p itself, or bits for each pixel: there less is more probable")
    ] = "nats",
    maps: Annotated[bool, Toggle(help="show which pixels surprise a model that reads pixel by pixel")] = True,
    others: Annotated[
        Mapping[str, Density], Others(most=7, start=4, help="further models for the same pictures")
    ] = MappingProxyType({}),
    **own: Any,
) -> Iterator[View]:
    """Send the same pictures through several models: how probable does each find them, and what surprises it?"""
    started = time.perf_counter()
    parts = [_test(data, rng, test_pictures), _foreign(data, strange_set, rng, strange_pictures)]
    parts += [_plain(data, rng, noise, flat), _sent(data, picture, drawing)]
    parts.append((yield from _drawn(model, rng, title, samples)))
    sheet = _together(parts)
    field = {title: model, **others}
    known: dict[str, LogProb] = {}
    for name, member in field.items():
        weighing = weigh(member, sheet.levels, rng.seed, own if member is model else {}, PATIENCE)
        known[name] = yield from told(weighing, name, len(known), len(field), len(sheet.names))
        yield Text(key="lesson", text=lesson(sheet, known))
        yield table(sheet, known, known[name].measure, unit, time.perf_counter() - started)
    if maps:
        yield from surprises(sheet, field, known)


def table(sheet: Sheet, known: Mapping[str, LogProb], measure: Measure, unit: str, seconds: float) -> Table:
    """All models of one measure side by side; the first one's most probable picture first."""
    group = {name: k for name, k in known.items() if k.measure == measure}
    first = next(iter(group.values())).nats.numpy()
    order = [*np.argsort(-first, kind="stable"), *range(len(first), len(sheet.names))]
    columns = {name: cells(k, unit, sheet.levels[0].size) for name, k in group.items()}
    heading, meaning = MEASURES[measure]
    bits = unit == "bits/dim" and measure != "continuous"
    what = "bits per dimension: less is more probable" if bits else "log p in nats: more is more probable"
    caption = f"{meaning} {what[0].upper()}{what[1:]}; in brackets its place among the pictures."
    if len({k.measure for k in known.values()}) > 1:
        caption += " Values of another table have another scale; only the places can be compared."
    if any(len(k.nats) < len(sheet.names) for k in group.values()):
        caption += f" A dash: the {PATIENCE:.0f} seconds that one model gets were over."
    return Table(
        key=measure,
        columns=("", *(f"{name} ({k.kind})" for name, k in group.items())),
        rows=tuple((sheet.names[i], *(c[i] if i < len(c) else None for c in columns.values())) for i in order),
        pictures=to_pixels(to_data(seen(sheet.levels, measure)[order])),
        title=f"{heading}: {what.partition(':')[0]}",
        caption=caption + sheet.note,
        seconds=seconds,
    )


def cells(known: LogProb, unit: str, pixels: int) -> list[str]:
    """Each value with the sign of its kind, its standard error if it has one, and its place among the others."""
    values = known.nats.double().numpy()
    errors = None if known.stderr is None else known.stderr.double().numpy()
    bits = unit == "bits/dim" and known.measure != "continuous" and known.kind != "unnormalised"
    scale = -1 / (pixels * math.log(2)) if bits else 1.0
    sign = {"exact": "", "lower bound": "≤ " if bits else "≥ ", "estimate": "≈ ", "unnormalised": ""}[known.kind]
    texts = []
    for i, place in enumerate(ranks(values)):
        digits = 3 if bits else int(abs(values[i]) < 1000)
        text = sign + f"{scale * values[i] + 0.0:,.{digits}f}".replace("-", "−").replace("inf", "∞")
        text += "" if errors is None else f" ± {abs(scale) * errors[i]:,.{digits}f}"
        texts.append(f"{text}{' + c' if known.kind == 'unnormalised' else ''} ({place})")
    return texts


def seen(levels: np.ndarray, measure: Measure) -> np.ndarray:
    """The pictures (n, *shape) uint8 as models of a measure see them."""
    return np.where(levels > 127, 255, 0).astype(np.uint8) if measure == "binary pixels" else levels


def surprises(sheet: Sheet, field: Mapping[str, Density], known: Mapping[str, LogProb]) -> Iterator[Images]:
    """The nats of surprise at each pixel, of all models that read pixel by pixel: one sheet for each measure."""
    able = {name: member for name, member in field.items() if isinstance(member, Surprises)}
    for measure in dict.fromkeys(known[name].measure for name in able):
        started = time.perf_counter()
        group = {name: member for name, member in able.items() if known[name].measure == measure}
        maps = [m.surprise(to_data(sheet.levels, m.device)).clamp_min(0).cpu().numpy() for m in group.values()]
        top = max(float(np.quantile(np.stack(maps), 0.995)), 1e-6)
        pictures = to_pixels(to_data(seen(sheet.levels, measure))).repeat(3 // len(sheet.levels[0]), -1)
        totals = [f"{m.sum():,.0f} nats" for m in np.concatenate(maps)]
        yield Images(
            key=f"surprise at {measure}",
            pixels=np.concatenate([pictures, *(coloured(m / top) for m in maps)]),
            captions=(*sheet.names, *totals),
            columns=len(sheet.names),
            group=("picture", *group),
            title="What surprises a model that reads pixel by pixel",
            caption=(
                f"Each pixel's surprise, -log p given all pixels above and to its left, in nats: black 0, pale yellow "
                f"{top:.1f} or more. A picture's sum is its -log p. A model that knows what a stroke looks like is "
                "surprised where strokes begin and end, not where they go on."
            ),
            ramp=RAMP,
            ends=("0", f"{top:.1f} nats"),
            seconds=time.perf_counter() - started,
        )


def coloured(share: np.ndarray) -> np.ndarray:
    """Numbers (n, height, width) from 0 to 1 as colours of ``RAMP``, (n, height, width, 3) uint8; more is clipped."""
    place = np.clip(share, 0, 1) * (len(RAMP) - 1)
    channels = [np.interp(place, np.arange(len(RAMP)), RAMP[:, c]) for c in range(3)]
    return np.stack(channels, -1).round().astype(np.uint8)


def told(
    weighing: Generator[int, None, LogProb], name: str, done: int, total: int, pictures: int
) -> Generator[View, None, LogProb]:
    """The values that ``weigh`` returns, with progress on the way.

    Args:
        weighing: what ``weigh`` made.
        name: of its model.
        done: how many models were weighed before.
        total: how many there are.
        pictures: how many each of them weighs.
    """
    yield Progress(done=done * pictures, total=total * pictures, text=name)
    while True:
        try:
            k = next(weighing)
        except StopIteration as end:
            return end.value
        yield Progress(done=done * pictures + k, total=total * pictures, text=f"{name}: {k} of {pictures} pictures")


def lesson(sheet: Sheet, known: Mapping[str, LogProb]) -> str:
    """What there is to see in these very numbers."""
    seen_whole = {name: k.nats.numpy() for name, k in known.items() if len(k.nats) == len(sheet.names)}
    if not sheet.own or not sheet.strange or not seen_whole:
        return "Ask for test pictures and for strange ones at once, and see which of them a model finds more probable."
    strange = slice(sheet.own, sheet.own + sheet.strange)
    fooled: dict[str, list[str]] = {}
    for name, v in seen_whole.items():
        if v[strange].max() > v[: sheet.own].max():
            fooled.setdefault(sheet.names[sheet.own + int(v[strange].argmax())], []).append(name)
    if not fooled:
        return "All strange pictures are less probable here than the best test picture. Try a flat one, all black."
    what = "; ".join(f"{picture} ({', '.join(names)})" for picture, names in fooled.items())
    return (
        f"More probable than every test picture: {what}. A density is no likeness: an even picture leaves few pixels "
        "that could go wrong, a real one pays for every stroke. Nalisnick et al. 2019 (arXiv:1810.09136) found whole "
        "data sets that a model never saw more probable than its own; Tell apart measures that."
    )


def _test(data: Dataset, rng: Rng, n: int) -> tuple[np.ndarray, tuple[str, ...], str]:
    levels, names, note = chosen(data, rng, n)
    return levels, tuple(f"{name}, test" for name in names), note


def _foreign(data: Dataset, name: str, rng: Rng, n: int) -> tuple[np.ndarray, tuple[str, ...], str]:
    other = strangers.another(data, name)
    levels, names, note = strangers.foreign(data, other, rng, n)
    return levels, tuple(f"{name}, {other.title}" for name in names), note if n else ""


def _plain(data: Dataset, rng: Rng, n: int, flats: str) -> tuple[np.ndarray, tuple[str, ...], str]:
    levels = np.concatenate([strangers.noise(data, rng, n), *(strangers.flat(data, name) for name in FLATS[flats])])
    return levels, ("noise",) * n + tuple(f"all {name}" for name in FLATS[flats]), ""


def _sent(
    data: Dataset, picture: np.ndarray | None, drawing: np.ndarray | None
) -> tuple[np.ndarray, tuple[str, ...], str]:
    given = {name: p for name, p in (("your picture", picture), ("your drawing", drawing)) if p is not None}
    levels = [as_data(p, data)[None] for p in given.values()]
    return np.concatenate([np.zeros((0, *data.shape), np.uint8), *levels]), tuple(given), ""


def _drawn(
    model: Density, rng: Rng, title: str, n: int
) -> Generator[View, None, tuple[np.ndarray, tuple[str, ...], str]]:
    """Pictures of the model's own, in 256 greys as all are."""
    if n == 0:
        return np.zeros((0, *model.shape), np.uint8), (), ""
    if not isinstance(model, Samples):
        raise Refused(f"{title} cannot draw pictures of its own; set samples to 0.")
    drawing = draw(model, rng.take(n), {})
    while True:
        try:
            state = next(drawing)
        except StopIteration as end:
            return to_pixels(end.value).transpose(0, 3, 1, 2), (f"drawn by {title}",) * n, ""
        yield Progress(done=state.done, total=state.total, text=f"{title} draws: {state.label}")


def _together(parts: list[tuple[np.ndarray, tuple[str, ...], str]]) -> Sheet:
    """Of own, foreign and plain pictures, sent ones and drawn ones, in this order."""
    levels, names, notes = zip(*parts, strict=True)
    if not any(names):
        raise Refused("There is no picture to weigh; ask for some, such as test pictures: 2.")
    own, strange = len(names[0]), len(names[1]) + len(names[2])
    return Sheet(np.concatenate(levels), sum(names, ()), own, strange, "".join(dict.fromkeys(notes)))
