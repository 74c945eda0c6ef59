"""A race as files: a GIF of all panels, the numbers as CSV, everything as NPZ. Pure functions of what the page got."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from playground.knobs import Refused

SIDE = 64  # cells a side of a heatmap
HALF = 4.5  # every panel shows [-HALF, HALF]^2
PLACES = 2000  # per unit, in which points are sent
NATS = 100  # per nat, in which heatmaps are sent
NONE = -32768  # in a heatmap: not a number
GAMMA = 0.45  # of the density, as on the page: a hundredth of the peak is still seen
RAMP = ("14171d", "1f1d3d", "323071", "35578c", "2b7d8e", "25a085", "5fc265", "b4da3f", "fdee6b")  # as on the page
LEVELS = 96  # colours of the ramp in a GIF; fewer compress better
GREYS = 32  # of the text, after the ramp
PANEL, GAP, LABEL, CLOCK = 144, 8, 30, 18  # pixels
MOMENTS = 48  # of a film at most
FRAME, PAUSE = 110, 2000  # milliseconds that a moment and the last one stay
MEASURES = ("kl", "kl_stderr", "nll", "sliced", "wasserstein", "mmd", "energy", "lost", "integral")

Frame = Mapping[str, Any]


@dataclass(frozen=True)
class Finished:
    """What a race has sent to its page.

    Args:
        spec: the race as it was asked for.
        truth: the target's ``logp`` (or None) and ``points``, packed as in a frame, and its ``title``.
        titles: each learner's, in the order of the panels.
        frames: each learner's, oldest first: those of the kept snapshots, and the last.
        numbers: each learner's last ones.
    """

    spec: Mapping[str, Any]
    truth: Mapping[str, Any]
    titles: Mapping[str, str]
    frames: Mapping[str, Sequence[Frame]]
    numbers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def export(race: Finished, format: str) -> bytes:
    """A race as a file of the format gif, csv or npz.

    Raises:
        Refused: another format, or a race that has shown nothing yet.
    """
    formats: dict[str, Callable[[Finished], bytes]] = {"gif": gif, "csv": table, "npz": npz}
    if format not in formats:
        raise Refused(f"A race can be saved as {', '.join(formats)}.")
    if not any(race.frames.values()):
        raise Refused("There is nothing to save yet: start the race first.")
    return formats[format](race)


def points_of(packed: Mapping[str, Any] | None) -> np.ndarray:
    """A frame's points, (n, 2) float32; none of none."""
    raw = base64.b64decode(packed["b64"]) if packed else b""
    return np.frombuffer(raw, "<i2").reshape(-1, 2).astype(np.float32) / PLACES


def map_of(packed: Mapping[str, Any] | None) -> np.ndarray:
    """A frame's log-density in nats, (64, 64) float32, row 0 at the top, NaN where there is none."""
    if not packed:
        return np.full((SIDE, SIDE), np.nan, np.float32)
    whole = np.frombuffer(base64.b64decode(packed["b64"]), "<i2").reshape(SIDE, SIDE)
    return np.where(whole == NONE, np.nan, whole / np.float32(NATS)).astype(np.float32)


def table(race: Finished) -> bytes:
    """One line per learner: its numbers, and what they took, as CSV; empty where a number does not exist."""
    spec, budget = race.spec, race.spec.get("budget", {})
    same = [_kind(spec), spec.get("data"), spec.get("seed"), budget.get("amount"), budget.get("kind")]
    file = io.StringIO()
    lines = csv.writer(file, lineterminator="\n")
    run = ("steps", "seconds", "microseconds_per_step")
    head = ("target", "data", "seed", "budget", "budget_unit", "learner", *run, "density", *MEASURES)
    lines.writerow([*head, "modes_covered", "modes"])
    for name in race.titles:
        if not race.frames.get(name):
            continue
        last, numbers = race.frames[name][-1], race.numbers.get(name, {})
        spent = [last.get("step"), last.get("seconds"), last.get("micros")]
        found = [numbers.get(key) for key in MEASURES]
        modes = numbers.get("modes") or [None, None]
        lines.writerow([_plain(v) for v in (*same, name, *spent, last.get("kind"), *found, *modes)])
    return file.getvalue().encode()


def npz(race: Finished) -> bytes:
    """Every array as ``<learner>.<what>``, the truth's as ``truth.<what>``, ``race.json`` and ``numbers.json``.

    For k frames of a learner: ``progress``, ``step``, ``seconds`` and ``loss.<player>`` (k,), ``logp`` (k, 64, 64) and
    ``points`` (k, n, 2), cut to the least n of them.
    """
    words = {"race.json": race.spec, "numbers.json": race.numbers}
    arrays = {name: np.array(json.dumps(value)) for name, value in words.items()}
    arrays["truth.logp"], arrays["truth.points"] = map_of(race.truth.get("logp")), points_of(race.truth.get("points"))
    for name, frames in race.frames.items():
        if not frames:
            continue
        for what in ("progress", "step", "seconds"):
            arrays[f"{name}.{what}"] = np.array([frame[what] for frame in frames])
        for player in frames[-1]["loss"]:
            losses = [frame["loss"].get(player) for frame in frames]
            arrays[f"{name}.loss.{player}"] = np.array([math.nan if v is None else v for v in losses])
        points = [points_of(frame.get("points")) for frame in frames]
        arrays[f"{name}.points"] = np.stack([p[: min(map(len, points))] for p in points])
        if any(frame.get("logp") for frame in frames):
            arrays[f"{name}.logp"] = np.stack([map_of(frame.get("logp")) for frame in frames])
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def gif(race: Finished) -> bytes:
    """The race as a looping film: the truth and every panel side by side, on one colour scale that ends at its peak.

    The pictures are made of palette numbers from the start, so that all share one palette and nothing is dithered.
    """
    shown = [name for name in race.titles if race.frames.get(name)]
    moments = sorted({0.0, *(float(frame["progress"]) for name in shown for frame in race.frames[name])})
    if len(moments) > MOMENTS:
        moments = [moments[round(i * (len(moments) - 1) / (MOMENTS - 1))] for i in range(MOMENTS)]
    truth = map_of(race.truth.get("logp"))
    maps = [truth] if np.isfinite(truth).any() else [map_of(race.frames[n][-1].get("logp")) for n in shown]
    top = float(np.nanmax(maps)) if np.isfinite(maps).any() else 0.0
    columns = _columns(len(shown) + 1)
    still = _still(race, shown, columns)
    still.paste(_panel(race.truth, top), _corner(0, columns))
    in_steps = race.spec.get("budget", {}).get("kind") == "steps"
    pictures, film = {}, []
    for moment in moments:
        picture, spent = still.copy(), 0.0
        for i, name in enumerate(shown, 1):
            past = [k for k, frame in enumerate(race.frames[name]) if frame["progress"] <= moment]
            if not past:
                continue
            if (name, past[-1]) not in pictures:
                pictures[name, past[-1]] = _panel(race.frames[name][past[-1]], top)
            picture.paste(pictures[name, past[-1]], _corner(i, columns))
            spent = max(spent, race.frames[name][past[-1]]["step" if in_steps else "seconds"])
        clock = f"{spent:.0f} steps each" if in_steps else f"{spent:.2f} s of training each"
        picture.paste(_words(clock, picture.width - 2 * GAP, CLOCK), (GAP, GAP // 2))
        film.append(picture)
    times = [FRAME] * (len(film) - 1) + [PAUSE]
    file = io.BytesIO()
    film[0].save(file, "GIF", save_all=True, append_images=film[1:], duration=times, loop=0, optimize=False)
    return file.getvalue()


def _still(race: Finished, shown: Sequence[str], columns: int) -> Image.Image:
    """What does not move: paper and titles."""
    rows = math.ceil((len(shown) + 1) / columns)
    size = (GAP + columns * (PANEL + GAP), CLOCK + GAP + rows * (PANEL + LABEL + GAP))
    paper = Image.new("P", size, LEVELS)
    paper.putpalette(_palette())
    texts = [f"Truth: {race.truth.get('title', '')}", *(race.titles[name] for name in shown)]
    notes = ["", *(_note(race, name) for name in shown)]
    for i, (text, note) in enumerate(zip(texts, notes, strict=True)):
        x, y = _corner(i, columns)
        paper.paste(_words(f"{text}\n{note}", PANEL, LABEL), (x, y + PANEL))
    return paper


def _note(race: Finished, name: str) -> str:
    numbers, kind = race.numbers.get(name, {}), race.frames[name][-1].get("kind", "none")
    if _plain(numbers.get("kl")) != "":
        return f"ends at KL {numbers['kl']:.3f}, {kind}"
    return f"density: {kind}"


def _panel(frame: Mapping[str, Any], top: float) -> Image.Image:
    """A heatmap with its points, in palette numbers."""
    shade = np.exp(GAMMA * (np.nan_to_num(map_of(frame.get("logp")), nan=-1e4) - top)).clip(0, 1)
    large = Image.fromarray(shade.astype(np.float32)).resize((PANEL, PANEL), Image.Resampling.BILINEAR)
    pixels = np.rint(np.asarray(large).clip(0, 1) * (LEVELS - 1)).astype(np.uint8)
    place = np.floor((points_of(frame.get("points")) * (1, -1) + HALF) * (PANEL / (2 * HALF))).astype(int)
    inside = place[np.all((place >= 0) & (place < PANEL), axis=1)]
    pixels[inside[:, 1], inside[:, 0]] = LEVELS + GREYS - 1
    return Image.fromarray(pixels)


def _words(text: str, width: int, height: int) -> Image.Image:
    """Text as palette numbers: its greys come after the ramp."""
    paper = Image.new("L", (width, height), 0)
    font = _font()
    draw = ImageDraw.Draw(paper)
    for i, line in enumerate(text.split("\n")):
        while font.getlength(line) > width:
            line = line[:-2] + "…"
        draw.text((0, 1 + 14 * i), line, 255 if i == 0 else 170, font)
    return Image.fromarray((np.asarray(paper) // (256 // GREYS) + LEVELS).astype(np.uint8))


def _corner(i: int, columns: int) -> tuple[int, int]:
    row, column = divmod(i, columns)
    return GAP + column * (PANEL + GAP), CLOCK + GAP + row * (PANEL + LABEL + GAP)


def _columns(panels: int) -> int:
    return min(5, math.ceil(math.sqrt(panels * 1.2)))


def _palette() -> list[int]:
    stops = np.array([[int(colour[i : i + 2], 16) for i in (0, 2, 4)] for colour in RAMP])
    place = np.linspace(0, len(RAMP) - 1, LEVELS)
    ramp = np.stack([np.interp(place, np.arange(len(RAMP)), channel) for channel in stops.T], 1)
    paper, ink = np.array([14, 16, 20]), np.array([255, 255, 255])
    greys = paper + (ink - paper) * np.linspace(0, 1, GREYS)[:, None]
    return np.rint(np.concatenate([ramp, greys])).astype(int).ravel().tolist()


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(11)


def _kind(spec: Mapping[str, Any]) -> Any:
    """The target's name, or what sort of the visitor's own it is."""
    record = spec.get("target", {})
    return record.get("name", next(iter(record), ""))


def _plain(value: Any) -> Any:
    return "" if value is None or (isinstance(value, float) and not math.isfinite(value)) else value
