"""What has been measured already, so that an interrupted command goes on: one file per model, and what models share."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playground import catalog
from playground.catalog import Metric, write_whole
from playground.evaluation.parts import Part, Task
from playground.evaluation.pictures import defaults
from playground.knobs import Refused

SHARED = "shared"  # the folder beside those of the models


def records(task: Task) -> dict[str, Any]:
    """Part to {sha256, defaults, settings, seconds, metrics} of one model."""
    path = task.options.folder / f"{task.card.name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def forget(task: Task) -> None:
    """Drop the samples drawn, so that they are drawn anew."""
    shutil.rmtree(task.options.folder / task.card.name, ignore_errors=True)


def forget_shared(folder: Path) -> None:
    """Drop what the models share, so that it is measured anew."""
    shutil.rmtree(folder / SHARED, ignore_errors=True)


def shared(task: Task, tag: str, key: dict[str, Any], make: Callable[[], dict[str, Metric]]) -> dict[str, Metric]:
    """Metrics that depend on the data and not on the model, such as floors and baselines: measured once for all.

    Args:
        task: whose options name the folder.
        tag: a name for the file they are kept in.
        key: everything that they depend on, as plain JSON values.
        make: measures them.
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    path = task.options.folder / SHARED / f"{tag}-{digest[:16]}.json"
    if not path.exists():
        text = json.dumps({k: asdict(v) for k, v in make().items()}, indent=1)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    return {k: Metric(**v) for k, v in json.loads(path.read_text(encoding="utf-8")).items()}


def measured(task: Task, part: Part, fresh: bool = False) -> tuple[dict[str, Metric], float]:
    """The part's metrics and the seconds they cost: as recorded for the same weights, defaults and settings, else new.

    Raises:
        Refused: the part cannot be measured, in one sentence.
    """
    key = {"sha256": task.card.sha256, "defaults": defaults(task), "settings": part.settings(task)}
    known = records(task).get(part.name)
    if not fresh and known and {k: known.get(k) for k in key} == key:
        return {k: Metric(**v) for k, v in known["metrics"].items()}, known["seconds"]
    begun = time.monotonic()
    metrics = part.measure(task)
    seconds = round(time.monotonic() - begun, 1)
    record = {**key, "seconds": seconds, "metrics": {k: asdict(v) for k, v in metrics.items()}}
    text = json.dumps({**records(task), part.name: record}, indent=1)
    task.options.folder.mkdir(parents=True, exist_ok=True)
    write_whole(task.options.folder / f"{task.card.name}.json", text.encode())
    return metrics, seconds


def put(task: Task, metrics: dict[str, Metric]) -> None:
    """Write metrics into the card as it is on the shelf now.

    Raises:
        Refused: the model was replaced while it was measured.
    """
    card = catalog.read_card(catalog.root() / task.card.name)
    if card.sha256 != task.card.sha256:
        raise Refused(f"{card.name}: its weights were replaced while they were measured; run the command again.")
    catalog.save_card(catalog.metrics_with(card, metrics))
