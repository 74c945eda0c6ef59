"""The table of the Scores page, made of nothing but ``Backend.describe()``: rows, cells and files. No tensors."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from playground.export import table
from playground.knobs import Refused
from playground.ui.columns import COLUMNS, Column
from playground.views import Table

Json = dict[str, Any]
GREYS, BINARY, CONTINUOUS, STROKES = "8-bit", "binary", "continuous", "strokes"
# What the protocol of a measurement says of its pixels; different ones are never compared.
PHRASES = (
    ("the probability of the binary pixels", BINARY),
    ("binary pictures", BINARY),
    ("a density of continuous pixels", CONTINUOUS),
    ("uniform dequantisation", GREYS),
    ("the pen's mark", STROKES),
)
SIGNS = {"lower bound": "≤ ", "estimate": "≈ ", "unnormalised": ""}
BY_NAME = {column.name: column for column in COLUMNS}
MOST = 500  # rows of a file: more than any shelf


def pixels_of(metrics: Mapping[str, Json]) -> str:
    """What a model's probabilities are of, read from how its likelihood, or else its distance, was measured."""
    told = [m["protocol"] for key in ("nll_nats", "bits_per_dim", "frechet") if (m := metrics.get(key))]
    return next((pixels for text in told for phrase, pixels in PHRASES if phrase in text), GREYS)


def rows(shelf: Json) -> list[Json]:
    """Every model as a row: its names, what it can be compared with (``group``), and a cell for each column.

    A cell is None where nothing was measured.
    """
    titles = {d["name"]: d["title"] for d in shelf["datasets"]}
    return [_row(model, titles.get(model["data"], model["data"])) for model in shelf["models"]]


def _row(model: Json, data_title: str) -> Json:
    pixels = pixels_of(model["metrics"])
    row = {k: model[k] for k in ("name", "title", "line", "family", "family_title", "data", "metrics")}
    row |= {"data_title": data_title, "pixels": pixels, "group": f"{model['data']} {pixels}"}
    row["expected_seconds"] = model.get("expected_seconds")
    row["fits"] = model["fits"]
    row["cells"] = {column.name: _cell(column, {**model, **row}) for column in COLUMNS}
    return row


def _cell(column: Column, model: Json) -> Json | None:
    """One cell: a number with its text, or a text; None where there is none."""
    metrics = model["metrics"]
    if column.name == "nll":  # in the unit in which the literature tells it of these pixels
        own = BY_NAME["nll_nats" if model["pixels"] == BINARY or "bits_per_dim" not in metrics else "bits_per_dim"]
        cell = _measured(own, metrics)
        return {**cell, "unit": own.unit} if cell else None
    if column.keys:
        return _measured(column, metrics)
    if column.name == "kind":
        known = metrics.get("nll_iw_nats") or metrics.get("nll_nats")
        return _told(known["kind"], known["protocol"]) if known else None
    if column.name == "published":
        return _published(model["published"])
    if column.name == "training":
        trained = model["trained"]
        minutes = trained["seconds"] / 60
        how = f"{trained['steps']:,} steps on {trained['device']}"
        if "begins" in trained:
            how += f", from the weights of {trained['begins']}"
        return {"value": minutes, "text": number(minutes), "protocol": how}
    value = model[column.name]
    return {"value": value, "text": f"{value:,}"} if column.form == "count" else _told(value)


def _told(text: str, protocol: str = "") -> Json:
    return {"value": text, "text": text, "protocol": protocol}


def _published(entries: Sequence[Json]) -> Json | None:
    if not entries:
        return None
    first = f"{entries[0]['value']:g}" if isinstance(entries[0]["value"], int | float) else str(entries[0]["value"])
    more = f" +{len(entries) - 1}" if len(entries) > 1 else ""
    lines = [f"{e['value']}: {e['metric']}, {e['source']}" for e in entries]
    return {"value": first, "text": first + more, "lines": lines, "protocol": "Each under its own protocol."}


def _measured(column: Column, metrics: Mapping[str, Json]) -> Json | None:
    there = [key for key in column.keys if key in metrics]
    if not there:
        return None
    metric = metrics[there[0]]
    cell = {k: metric[k] for k in ("value", "stderr", "n", "kind", "split", "protocol")}
    cell |= {"key": there[0], "text": written(column, metric)}
    further = [
        (key, metrics[key], "from its bound" if metrics[key]["kind"] == "lower bound" else key) for key in there[1:]
    ]
    further += [(k, metrics[k], words) for end, words in column.beside if (k := there[0] + end) in metrics]
    cell["beside"] = [
        {
            "key": key,
            "words": words,
            "value": m["value"],
            "text": written(column, m),
            "n": m["n"],
            "stderr": m["stderr"],
        }
        for key, m, words in further
    ]
    return cell


def written(column: Column, metric: Json) -> str:
    """A measurement in words: its sign where it is a bound or an estimate of a likelihood, and its standard error."""
    value, error = metric["value"], metric["stderr"]
    if column.form == "count":
        return f"{value:,.0f}"
    if column.form == "seconds":
        return seconds(value)
    sign = SIGNS.get(metric["kind"], "") if column.name in ("bits_per_dim", "nll_nats") else ""
    if error is None or not math.isfinite(error) or error <= 0:
        return sign + number(value)
    places = max(0, min(4, -math.floor(math.log10(error)) + (f"{error:e}"[0] == "1")))
    return f"{sign}{value:.{places}f} ± {error:.{places}f}".replace("-", "−")


def number(value: float) -> str:
    """Four significant digits, with a true minus sign."""
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}".replace("-", "−")


def seconds(value: float) -> str:
    """Seconds to two digits, or milliseconds."""
    return f"{1000 * value:.2g} ms" if value < 0.0995 else f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def shown(names: Any, order: Any, found: Sequence[Json]) -> tuple[list[Column], list[Json]]:
    """The columns and rows that a page names, as it shows them.

    Raises:
        Refused: they are not lists of names.
    """
    models = {row["name"]: row for row in found}
    if not all(isinstance(given, list) and len(given) <= MOST for given in (names, order)):
        raise Refused("Name the columns and the models of the table.")
    columns = [BY_NAME[n] for n in names if isinstance(n, str) and n in BY_NAME]
    return columns, [models[n] for n in order if isinstance(n, str) and n in models]


def as_csv(columns: Sequence[Column], found: Sequence[Json]) -> bytes:
    """The table as comma-separated text: every number with its standard error, sample size, kind and protocol."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    parts = ("stderr", "n", "kind", "split", "protocol")
    measured = [c for c in columns if c.keys]
    plain = [c for c in columns if not c.keys]
    head = ["model", "title", *(c.name for c in plain)]
    for column in measured:
        head += [column.name, *(f"{column.name}_{part}" for part in parts)]
        head += [column.name + end for end, _ in column.beside]
    writer.writerow(head)
    for row in found:
        cells = row["cells"]
        line = [row["name"], row["title"], *(_plainly(cells[c.name]) for c in plain)]
        for column in measured:
            cell = cells[column.name] or {}
            line += [cell.get("value", ""), *("" if cell.get(part) is None else cell[part] for part in parts)]
            ends = {b["words"]: b["value"] for b in cell.get("beside", [])}
            line += [ends.get(words, "") for _, words in column.beside]
        writer.writerow(line)
    return buffer.getvalue().encode()


def _plainly(cell: Json | None) -> Any:
    if cell is None:
        return ""
    return "; ".join(cell["lines"]) if "lines" in cell else cell["value"]


def as_png(columns: Sequence[Column], found: Sequence[Json]) -> bytes:
    """The table as a picture."""
    heads = [f"{c.title}, {c.unit}" if c.unit else c.title for c in columns]
    lines = [(row["title"], *(_text(row["cells"][c.name]) for c in columns)) for row in found]
    caption = (
        "≤: from a lower bound of the log-likelihood, ≈: an estimate; ± one standard error; a dash: not measured. "
        "Numbers of different data sets or pixels must not be compared."
    )
    picture = table(Table(columns=("Model", *heads), rows=tuple(lines), caption=caption))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _text(cell: Json | None) -> str:
    if cell is None:
        return "-"
    return f"{cell['text']} {cell.get('unit', '')}".strip().replace("≤", "<=").replace("≈", "~").replace("−", "-")
