"""The charts of the Scores page as plain values: one question each, with a sentence on what to look at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from playground.ui.scores import BINARY, GREYS, number

Json = dict[str, Any]
# What can stand on the axis of quality: its words, which end is better, and whether the axis is logarithmic.
QUALITIES = {
    "frechet": ("Fréchet distance", "lower", True),
    "kernel": ("kernel distance", "lower", False),
    "coverage": ("coverage", "higher", False),
}
STEPS = re.compile(r"frechet_(?:steps_|(ddim|ddpm)_)(\d+)(_guided)?")
GUIDANCE = re.compile(r"frechet_guidance_(\d+(?:\.\d+)?)")
COMMAND = "python -m playground.evaluation NAME --only "


def metric_of(row: Json, key: str, pixels: str) -> Json | None:
    """A model's measurement against pictures of some pixels.

    A model of binary pixels that shows greys is compared with grey pictures by the grey ones it shows.
    """
    if (row["pixels"] == BINARY) == (pixels == BINARY):
        return row["metrics"].get(key)
    return row["metrics"].get(f"{key}_shown") if pixels == GREYS else None


def charts(found: Sequence[Json], data: str, pixels: str, quality: str) -> list[Json]:
    """All charts over the models of one data set, compared in one kind of pixels.

    Args:
        found: rows of the table.
        data: the data set's name.
        pixels: 8-bit or binary.
        quality: a key of ``QUALITIES``.
    """
    there = [row for row in found if row["data"] == data]
    return [
        _time(there, pixels, quality),
        _likelihood(there, pixels, quality),
        _precision(there, pixels),
        _sweep(there, "steps"),
        _sweep(there, "guidance"),
    ]


def _point(row: Json, x: Json, y: Json, words: tuple[str, str]) -> Json:
    lines = [f"{words[0]}: {_with_error(x)}", f"{words[1]}: {_with_error(y)}", f"n = {y['n']:,}"]
    point = {"name": row["name"], "title": row["title"], "family": row["family_title"], "lines": lines}
    point["label"] = row["name"].removeprefix(f"{row['data']}-")
    return {**point, "x": x["value"], "y": y["value"], "ex": x["stderr"], "ey": y["stderr"]}


def _with_error(metric: Json) -> str:
    error = f" ± {number(metric['stderr'])}" if metric["stderr"] else ""
    return f"{number(metric['value'])}{error}"


def _floor(found: Sequence[Json], key: str, pixels: str) -> Json | None:
    """What as many training pictures reach, as any of the models has it."""
    for row in found:
        ending = "_floor" if (row["pixels"] == BINARY) == (pixels == BINARY) else "_shown_floor"
        metric = row["metrics"].get(key + ending)
        if metric and (pixels == GREYS or row["pixels"] == BINARY):
            return {"value": metric["value"], "text": "training pictures"}
    return None


def _axis(quality: str) -> Json:
    words, better, log = QUALITIES[quality]
    return {"title": f"{words} ({better} is better)", "log": log, "better": better}


def _frontier(points: Sequence[Json], better: str) -> list[list[float]]:
    """The points that nobody beats in both: quicker and better."""
    sign, best, kept = (1 if better == "lower" else -1), float("inf"), []
    for point in sorted(points, key=lambda p: (p["x"], sign * p["y"])):
        if sign * point["y"] < best:
            best = sign * point["y"]
            kept.append([point["x"], point["y"]])
    return kept


def _time(found: Sequence[Json], pixels: str, quality: str) -> Json:
    words, better, _ = QUALITIES[quality]
    points = [
        _point(row, x, y, ("seconds for 16 samples", words))
        for row in found
        if (x := row["metrics"].get("seconds_per_16")) and (y := metric_of(row, quality, pixels))
    ]
    down = "Down" if better == "lower" else "Up"
    return {
        "name": "time",
        "title": "Who draws well, and how quickly?",
        "look": f"{down} and to the left is better. The thin line joins those that nobody beats in both; the dashed "
        "one is what as many training pictures reach. Worth the wait is only who lies on the thin line.",
        "x": {"title": "seconds for 16 samples", "log": True},
        "y": _axis(quality),
        "points": points,
        "frontier": _frontier(points, better),
        "floor": _floor(found, quality, pixels),
        "empty": f"No model here has both numbers yet. To measure them: {COMMAND}fidelity,timing",
    }


def _likelihood(found: Sequence[Json], pixels: str, quality: str) -> Json:
    keys = ("nll_iw_nats", "nll_nats") if pixels == BINARY else ("bits_per_dim_iw", "bits_per_dim")
    unit = "nats" if pixels == BINARY else "bits/dim"
    points = []
    for row in found:
        x = next((row["metrics"][k] for k in keys if k in row["metrics"]), None)
        y = metric_of(row, quality, pixels)
        if x and y and row["pixels"] == pixels and x["kind"] != "unnormalised":
            point = _point(row, x, y, (f"NLL, {unit} ({x['kind']})", QUALITIES[quality][0]))
            points.append({**point, "bound": x["kind"] == "lower bound"})
    return {
        "name": "likelihood",
        "title": "Does a better likelihood mean better pictures?",
        "look": "No: left is the better likelihood, and it need not be the better picture. A likelihood is decided by "
        "every pixel of real pictures, by grain that nobody sees; a model that drew noise 99 times in 100 would lose "
        "only 4.6 nats by it. Samples are judged by what they look like (Theis et al. 2016, arXiv:1511.01844). "
        "Hollow: from a lower bound, the true value lies further left.",
        "x": {"title": f"negative log-likelihood, {unit} (lower is better)", "log": False},
        "y": _axis(quality),
        "points": points,
        "floor": _floor(found, quality, pixels),
        "empty": f"No model of these pixels has both numbers yet. To measure them: {COMMAND}likelihood,fidelity",
    }


def _precision(found: Sequence[Json], pixels: str) -> Json:
    points = [
        _point(row, x, y, ("recall", "precision"))
        for row in found
        if (x := metric_of(row, "recall", pixels)) and (y := metric_of(row, "precision", pixels))
    ]
    across, up = (_floor(found, key, pixels) for key in ("recall", "precision"))
    return {
        "name": "precision",
        "title": "Good pictures, or all of them?",
        "look": "Precision: how many samples look real. Recall: how many real pictures look like samples. High and "
        "left: good, but the same few again and again; low and right: everything, and much that is wrong. The dashed "
        "lines are what as many training pictures reach.",
        "x": {"title": "recall", "log": False, "range": [0, 1.02]},
        "y": {"title": "precision", "log": False, "range": [0, 1.02], "better": "higher"},
        "points": points,
        "floor": up,
        "wall": across,
        "empty": f"No model here has both numbers yet. To measure them: {COMMAND}fidelity",
    }


def _sweep(found: Sequence[Json], over: str) -> Json:
    """The Frechet distance of each model against its number of steps or its guidance."""
    lines: dict[str, Json] = {}
    for row in found:
        for key, metric in row["metrics"].items():
            at = _at(key, over)
            if at is None:
                continue
            name = f"{row['name'].removeprefix(row['data'] + '-')}{at[1]}"
            line = lines.setdefault(name, {"label": name, "model": row["name"], "points": []})
            hover = [f"{over}: {at[0]:g}", f"Fréchet distance: {_with_error(metric)}", f"n = {metric['n']:,}"]
            if over == "guidance" and (right := row["metrics"].get(f"label_accuracy_{over}_{at[0]:g}")):
                hover.append(f"right class: {_with_error(right)}")
            line["points"].append({"x": at[0], "y": metric["value"], "ey": metric["stderr"], "lines": hover})
    swept = {line["model"] for line in lines.values() if len(line["points"]) > 1}
    kept = [
        lines[name] for name in sorted(lines) if len(lines[name]["points"]) > 1 or lines[name]["model"] not in swept
    ]
    for line in kept:
        line["points"].sort(key=lambda point: point["x"])
    words = {
        "steps": (
            "How many steps are enough?",
            "Each step costs a pass through the network. Where a line turns flat, further steps are wasted; a model "
            "that was taught to draw in few steps lies low on the left.",
            "network steps",
        ),
        "guidance": (
            "How much guidance is good?",
            "Guidance pushes a picture towards its class: a little makes it clearer, much makes all pictures of a "
            "class alike, and the distance grows again. Point at a mark to see how many are of the right class.",
            "guidance scale (1 is none)",
        ),
    }[over]
    return {
        "name": over,
        "title": words[0],
        "look": words[1],
        "x": {
            "title": words[2],
            "log": over == "steps",
            "ticks": sorted({p["x"] for v in kept for p in v["points"]}),
        },
        "y": _axis("frechet"),
        "points": [],
        "lines": kept,
        "floor": _floor(found, "frechet_sweep", GREYS),
        "empty": f"No model of this data set has been measured so yet. To do it: {COMMAND}sweeps",
    }


def _at(key: str, over: str) -> tuple[float, str] | None:
    """Where on the axis a metric of this name stands, and what tells its line from others of the same model."""
    if over == "guidance":
        match = GUIDANCE.fullmatch(key)
        return (float(match[1]), "") if match else None
    match = STEPS.fullmatch(key)
    if not match:
        return None
    sampler, steps, guided = match.groups()
    return float(steps), (f", {sampler.upper()}" if sampler else "") + (", guided" if guided else "")


def measured_pixels(found: Sequence[Json], data: str) -> list[str]:
    """The kinds of pixels in which models of a data set can be compared."""
    there = [row for row in found if row["data"] == data]
    kinds = (GREYS, BINARY)
    return [k for k in kinds if any(metric_of(row, "frechet", k) for row in there)] or [GREYS]
