"""The cards as a table, with the published numbers beside."""

from __future__ import annotations

from collections.abc import Iterable

from playground import catalog
from playground.catalog import Card, Metric

COLUMNS = {
    "nll_nats": "NLL, nats",
    "nll_iw_nats": "NLL by IW, nats",
    "bits_per_dim": "bits/dim",
    "baseline_full_gaussian_bits_per_dim": "full Gaussian",
    "frechet": "Frechet",
    "frechet_floor": "its floor",
    "kernel": "kernel",
    "frechet_ddim_10": "10-step DDIM",
    "frechet_ddpm_10": "10-step DDPM",
    "frechet_ddim_10_guided": "guided DDIM",
    "frechet_ddpm_10_guided": "guided DDPM",
    "label_accuracy": "right class",
    "accuracy": "accuracy",
    "seconds_per_16": "s per 16",
}
BOUNDS = {"lower bound": "<= ", "estimate": "~ ", "exact": "= ", "unnormalised": "? "}


def shown(key: str, metric: Metric | None) -> str:
    """A metric in a cell: a bound on the log-probability from below bounds the NLL from above."""
    if metric is None:
        return ""
    sign = BOUNDS[metric.kind] if key.startswith(("nll", "bits")) else ""
    error = f" ± {metric.stderr:.1g}" if metric.stderr is not None else ""
    return f"{sign}{metric.value:.4g}{error}"


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Rows as aligned text, the first underlined."""
    cells = list(rows)
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])


def report(cards: Iterable[Card]) -> str:
    """What is known of every model, then the published numbers, then what is wrong with folders that cannot be read."""
    cards = list(cards)
    if not cards:
        return "There is no model on the shelf; train one with python -m playground.train NAME."
    used = [key for key in COLUMNS if any(key in card.metrics for card in cards)]
    rows = [("model", "parameters", *(COLUMNS[key] for key in used))]
    for card in cards:
        rows.append((card.name, f"{card.parameters:,}", *(shown(key, card.metrics.get(key)) for key in used)))
    text = [table(rows)]
    published = [(c.name, str(p["metric"]), str(p["value"]), str(p["source"])) for c in cards for p in c.published]
    if published:
        text += [
            "",
            "Published, each under its own protocol:",
            table([("beside", "metric", "value", "source"), *published]),
        ]
    return "\n".join([*text, *catalog.broken().values()])
