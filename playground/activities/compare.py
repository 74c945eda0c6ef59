"""The same seed and label through several models."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

import numpy as np

from playground.activities.generate import draw
from playground.capabilities import Density, LogProb, Samples
from playground.knobs import ANY, Label, Others, Slider
from playground.pictures import to_pixels
from playground.rng import Rng
from playground.views import Images, Progress, Table, View

ORDER = 50


@dataclass(frozen=True)
class Row:
    """One model's pictures, (n, height, width, channels) uint8, what they cost and how probable it finds them."""

    title: str
    pixels: np.ndarray
    seconds: float
    log_prob: LogProb | None


def compare(
    model: Samples,
    rng: Rng,
    *,
    title: str,
    n: Annotated[int, Slider(1, 12, help="pictures from each model")] = 8,
    label: Annotated[str, Label(help="which class to draw, where a model can be told")] = ANY,
    others: Annotated[Mapping[str, Samples], Others(help="which models to set beside it")] = MappingProxyType({}),
) -> Iterator[View]:
    """Set models side by side: same seed, same class, what each costs and how probable it finds its own work."""
    started = time.perf_counter()
    field = {title: model, **others}
    rows: list[Row] = []
    for name, member in field.items():
        yield Progress(done=len(rows), total=len(field), text=name)
        begun, batch = time.perf_counter(), rng.on(member.device).take(n)
        drawing = draw(member, batch, {"label": label} if member.labels else {})
        while True:
            try:
                state = next(drawing)
            except StopIteration as end:
                x = end.value
                break
            yield Progress(done=len(rows), total=len(field), text=f"{name}, step {state.done} of {state.total}")
        seconds = time.perf_counter() - begun
        # the batch's streams go on where sampling left them: what the evaluation draws is independent of the pictures
        known = member.log_prob(x.clamp(0, 1), batch) if isinstance(member, Density) else None
        rows.append(Row(name, to_pixels(x), seconds, known))
        yield sheet(rows, label, time.perf_counter() - started)
    yield figures(rows)


def sheet(rows: list[Row], label: str, seconds: float) -> Images:
    """One row of pictures per model, each with its log-probability under the model that drew it."""
    n = len(rows[0].pixels)
    what = "any class" if label == ANY else f"class {label}, where a model can be told"
    known = [r.log_prob for r in rows if r.log_prob]
    captions = [text for r in rows for text in (said(r.log_prob) if r.log_prob else [""] * n)]
    return Images(
        pixels=np.concatenate([r.pixels for r in rows]),
        captions=tuple(captions) if known else (),
        columns=n,
        group=tuple(r.title for r in rows),
        caption=f"One seed, {what}." + (explained(known) if known else ""),
        seconds=seconds,
    )


def figures(rows: list[Row]) -> Table:
    """What each model cost, and what it says of its own pictures, with kind and measure."""
    caption = "log p: the mean over each model's own pictures above, so it says how sure a model is, not how good."
    return Table(
        key="figures",
        columns=("model", "seconds", "log p (nats)", "kind", "of"),
        rows=tuple(_figures(r) for r in rows),
        caption=caption if any(r.log_prob for r in rows) else "None of these can say how probable a picture is.",
    )


def said(known: LogProb) -> list[str]:
    """Each value in nats, in a form that says its kind."""
    forms = {"exact": "{:.0f}", "lower bound": "≥ {:.0f}", "estimate": "≈ {:.0f}", "unnormalised": "{:.0f} + c"}
    return [forms[known.kind].format(v) for v in nats(known)]


def explained(known: list[LogProb]) -> str:
    """What the numbers below the pictures are, and what must not be done with them."""
    signs = {"lower bound": "≥ a lower bound", "estimate": "≈ an estimate", "unnormalised": "+ c up to a constant"}
    used = [signs[kind] for kind in dict.fromkeys(k.kind for k in known) if kind in signs]
    text = " Below a picture: its log p in nats under its own model" + (f" ({', '.join(used)})." if used else ".")
    measures = sorted({k.measure for k in known})
    if len(measures) > 1:
        text += f" Different measures ({', '.join(measures)}) have no common scale: never rank across them."
    return text


def nats(known: LogProb) -> list[float]:
    """The values as plain numbers."""
    return [float(v) for v in known.nats.detach().cpu()]


def _figures(row: Row) -> tuple[str | float | None, ...]:
    if row.log_prob is None:
        return row.title, round(row.seconds, 3), None, "none", "no density"
    mean = float(np.mean(nats(row.log_prob)))
    return row.title, round(row.seconds, 3), round(mean, 1), row.log_prob.kind, row.log_prob.measure
