"""The cards as tables, one for each kind of measurement, and the published numbers."""

from __future__ import annotations

from collections.abc import Iterable

from playground import catalog
from playground.catalog import Card, Metric

TABLES: dict[str, dict[str, str]] = {
    "Likelihood": {
        "nll_nats": "NLL, nats",
        "nll_iw_nats": "NLL by IW, nats",
        "bits_per_dim": "bits/dim",
        "baseline_full_gaussian_bits_per_dim": "full Gaussian",
        "rate_nats": "rate, nats",
        "distortion_nats": "distortion, nats",
    },
    "Samples, in the features of the judge": {
        "frechet": "Frechet",
        "frechet_floor": "its floor",
        "kernel": "kernel",
        "precision": "precision",
        "recall": "recall",
        "density": "density",
        "coverage": "coverage",
        "coverage_floor": "its ceiling",
        "label_accuracy": "right class",
        "class_balance": "imbalance",
        "copying_ratio": "copying",
        "copying_share": "copies",
    },
    "From outlines": {
        f"outline_{name}{ending}": f"{words}{beside}"
        for ending, beside in {"": "", "_by_hand": ", by hand"}.items()
        for name, words in {"f1": "edge F1", "chamfer": "chamfer", "frechet": "Frechet"}.items()
    }
    | {
        "outline_frechet_floor": "its floor",
        "outline_f1_nearest": "F1 of the nearest",
        "outline_f1_by_hand_nearest": "nearest, by hand",
        "outline_accuracy": "right class",
        "outline_diversity": "diversity",
        "outline_diversity_class": "of a class",
    },
    "Steps and guidance, Frechet": {
        "frechet_ddim_10": "10-step DDIM",
        "frechet_ddpm_10": "10-step DDPM",
        "frechet_ddim_10_guided": "guided DDIM",
        "frechet_ddpm_10_guided": "guided DDPM",
        "frechet_sweep_floor": "floor",
        **{f"frechet_steps_{k}": f"{k} steps" for k in (1, 2, 4, 8, 16, 32)},
        **{f"frechet_guidance_{g}": f"guidance {g}" for g in ("1", "1.5", "2", "3", "5")},
    },
    "Class from the code: test accuracy": {
        f"{name}_{amount}{ending}": f"{name} {amount}{beside}"
        for amount in ("1000", "all")
        for name in ("probe", "knn")
        for ending, beside in {"": "", "_pixels": ", pixels", "_pca": ", PCA", "_random": ", untrained"}.items()
    },
    "Telling other pictures by their density: ROC area": {
        "roc_area_mnist": "MNIST",
        "roc_area_fashion_mnist": "Fashion-MNIST",
        "roc_area_noise": "noise",
    },
    "Cost": {"seconds_per_16": "s per 16", "network_evaluations": "network evaluations"},
    "The judges themselves": {
        "accuracy": "accuracy",
        "accuracy_binarised": "binarised",
        "calibration_error": "calibration error",
    },
    "Samples in Inception features": {"inception_frechet": "FID", "inception_frechet_floor": "its floor"},
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
    text = ["Models", table([("model", "parameters"), *((c.name, f"{c.parameters:,}") for c in cards)])]
    for title, columns in TABLES.items():
        used = {key: words for key, words in columns.items() if any(key in card.metrics for card in cards)}
        rows = [(c.name, *(shown(key, c.metrics.get(key)) for key in used)) for c in cards if used.keys() & c.metrics]
        if rows:
            text += ["", title, table([("model", *used.values()), *rows])]
    published = [(c.name, str(p["metric"]), str(p["value"]), str(p["source"])) for c in cards for p in c.published]
    if published:
        text += [
            "",
            "Published, each under its own protocol:",
            table([("beside", "metric", "value", "source"), *published]),
        ]
    return "\n".join([*text, *catalog.broken().values()])
