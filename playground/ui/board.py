"""What the Scores page asks the server besides running activities."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from playground.backends import Backend
from playground.knobs import Refused
from playground.ui.charts import QUALITIES, charts, measured_pixels
from playground.ui.columns import COLUMNS, GROUPS
from playground.ui.functions import Answer, answer
from playground.ui.later import Later
from playground.ui.scores import as_csv, as_png, rows, shown

FILES = {"csv": as_csv, "png": as_png}


def functions(backend: Backend) -> list[Callable[[Any], Answer]]:
    """The functions of the page, over ``backend``."""

    @answer
    def scores_facts(asked: Answer) -> Answer:
        shelf = (backend.ready() if isinstance(backend, Later) else backend).describe()
        found = rows(shelf)
        kinds = {row["data"]: measured_pixels(found, row["data"]) for row in found}
        for row, model in zip(found, shelf["models"], strict=True):
            row.pop("metrics")
            row["knobs"] = {name: model["knobs"].get(name, []) for name in ("measure", "versus")}
        datasets = [d for d in shelf["datasets"] if d["name"] in kinds]
        return {
            "rows": found,
            "columns": [column.to_json() for column in COLUMNS],
            "groups": GROUPS,
            "qualities": {name: words[0] for name, words in QUALITIES.items()},
            "datasets": [{**d, "pixels": kinds[d["name"]]} for d in datasets],
            "broken": shelf["broken"],
            "device": shelf["device"],
        }

    @answer
    def scores_charts(asked: Answer) -> Answer:
        data, pixels, quality = (str(asked.get(key)) for key in ("data", "pixels", "quality"))
        if quality not in QUALITIES:
            raise Refused(f"Quality is one of {', '.join(QUALITIES)}.")
        return {"charts": charts(rows(backend.describe()), data, pixels, quality)}

    @answer
    def scores_file(asked: Answer) -> Answer:
        format = asked.get("format")
        if format not in FILES:
            raise Refused(f"The table can be saved as {' or '.join(FILES)}.")
        columns, found = shown(asked.get("columns"), asked.get("rows"), rows(backend.describe()))
        data = FILES[str(format)](columns, found)
        return {"name": f"scores.{format}", "b64": base64.b64encode(data).decode()}

    @answer
    def sheet(asked: Answer) -> Answer:
        return {"png": base64.b64encode(backend.sheet(str(asked.get("model")))).decode()}

    return [scores_facts, scores_charts, scores_file, sheet]
