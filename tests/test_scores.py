"""The Scores page's logic: rows, cells, files and charts of cards; and what measures while one waits."""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fake import Fake
from PIL import Image
from toyshelf import toy_shelf

from playground import catalog
from playground.activities.measure import Marks, portions
from playground.activities.versus import agreement, histogram, scatter, split, window
from playground.backends import Request
from playground.backends.local import Local
from playground.capabilities import LogProb
from playground.evaluation import likelihood
from playground.ui import charts, columns, scores
from playground.ui.board import functions
from playground.ui.charting import routes
from playground.views import Curve, Progress, Refusal, Table, Text, View

GREY = "8 bits; uniform dequantisation (one draw)"
BLACK = "the probability of the binary pixels"


def metric(value: float, stderr: float | None = 0.1, kind: str = "estimate", protocol: str = GREY) -> dict[str, Any]:
    return {"value": value, "stderr": stderr, "n": 2000, "kind": kind, "split": "test", "protocol": protocol}


def model(name: str, data: str = "dots", **metrics: dict[str, Any]) -> dict[str, Any]:
    """A model as ``describe`` tells it."""
    plain = {"line": "a line", "labels": [], "licence": "", "published": [], "expected_seconds": 0.1}
    trained = {"device": "CPU", "seconds": 90, "steps": 10}
    names = {"name": name, "title": name.title(), "family": "vae", "family_title": f"Family {name[0]}", "data": data}
    return {**names, **plain, "parameters": 1234, "trained": trained, "fits": {}, "knobs": {}, "metrics": metrics}


def shelf(*models: dict[str, Any]) -> dict[str, Any]:
    sets = [{"name": name, "title": name.title()} for name in ("dots", "stripes")]
    return {"models": list(models), "datasets": sets, "broken": {}, "device": "a test"}


FLOW = model(
    "dots-flow",
    bits_per_dim=metric(1.12, 0.003, "exact"),
    nll_nats=metric(609, 1.4, "exact"),
    frechet=metric(11.6, 0.9),
    frechet_floor=metric(0.37),
    seconds_per_16=metric(0.056),
    recall=metric(0.4),
    precision=metric(0.7),
)
DIFFUSION = model(
    "dots-diffusion",
    bits_per_dim=metric(2.111, 0.012, "lower bound"),
    frechet=metric(0.94, 0.18),
    frechet_floor=metric(0.37),
    seconds_per_16=metric(0.92),
    frechet_steps_8=metric(1.5),
    frechet_steps_1=metric(9.0),
    frechet_ddim_10_guided=metric(1.2),
    **{"frechet_guidance_1.5": metric(0.8), "label_accuracy_guidance_1.5": metric(0.99)},
)
VAE = model(
    "dots-vae",
    nll_nats=metric(91.1, 0.23, "lower bound", BLACK),
    nll_iw_nats=metric(86.57, 0.22, "estimate", BLACK),
    bits_per_dim=metric(0.168, 0.001, "lower bound", BLACK),
    frechet=metric(8.9, 0.7, protocol="between binary pictures and"),
    frechet_shown=metric(11.7),
    frechet_floor=metric(0.30),
    seconds_per_16=metric(0.0018),
)
GAN = model("dots-gan", frechet=metric(5.8, 0.4, protocol="in 8 bits"), seconds_per_16=metric(0.0034))
ENERGY = model("dots-energy", bits_per_dim=metric(-3.0, 0.1, "unnormalised"), frechet=metric(30.0))
STRIPES = model("stripes-flow", "stripes", bits_per_dim=metric(3.0, 0.1, "exact"), frechet=metric(2.0))
FOUND = scores.rows(shelf(FLOW, DIFFUSION, VAE, GAN, ENERGY, STRIPES))
BY_NAME = {row["name"]: row for row in FOUND}


def chart(name: str, pixels: str = "8-bit", quality: str = "frechet", data: str = "dots") -> dict[str, Any]:
    return next(c for c in charts.charts(FOUND, data, pixels, quality) if c["name"] == name)


# ---- the table


def test_every_column_says_what_it_is() -> None:
    names = [c.name for c in columns.COLUMNS]
    assert len(set(names)) == len(names)
    for column in columns.COLUMNS:
        assert column.group in {*columns.GROUPS, "model"}
        assert column.help and not column.help.endswith(".")
    keys = [key for c in columns.COLUMNS for key in c.keys]
    assert len(set(keys)) == len(keys)


def test_what_must_not_be_compared_is_in_groups_of_its_own() -> None:
    assert [row["group"] for row in FOUND] == ["dots 8-bit"] * 2 + ["dots binary"] + ["dots 8-bit"] * 2 + [
        "stripes 8-bit"
    ]


def test_the_measure_is_read_from_what_evaluation_writes() -> None:
    source = Path(likelihood.__file__).read_text(encoding="utf-8")
    for phrase in ("the probability of the binary pixels", "uniform dequantisation", "a density of continuous pixels"):
        assert phrase in source and phrase in [p for p, _ in scores.PHRASES]
    for card in catalog.cards().values():
        told = [m.protocol for key, m in card.metrics.items() if key == "nll_nats"]
        assert all(any(phrase in text for phrase, _ in scores.PHRASES) for text in told), card.name


def test_a_number_is_shown_with_its_kind_error_and_floor() -> None:
    cells = BY_NAME["dots-diffusion"]["cells"]
    assert cells["nll"]["text"] == "≤ 2.111 ± 0.012" and cells["nll"]["unit"] == "bits/dim"
    assert cells["kind"]["text"] == "lower bound" if cells["kind"] else True
    assert cells["frechet"]["text"] == "0.94 ± 0.18"
    assert [(b["words"], b["value"]) for b in cells["frechet"]["beside"]] == [("floor", 0.37)]
    assert cells["precision"] is None and cells["published"] is None
    assert cells["seconds_per_16"]["text"] == "0.92 s" and cells["training"]["value"] == 1.5


def test_the_better_estimate_stands_before_the_bound() -> None:
    cell = BY_NAME["dots-vae"]["cells"]["nll"]
    assert cell["text"] == "≈ 86.6 ± 0.2" and cell["unit"] == "nats" and cell["key"] == "nll_iw_nats"
    assert cell["beside"][0]["text"] == "≤ 91.1 ± 0.2"
    assert BY_NAME["dots-vae"]["cells"]["kind"]["text"] == "estimate"


@pytest.mark.parametrize(
    ("value", "stderr", "text"),
    [
        (44.1195, 1.4, "44.1 ± 1.4"),
        (1103.2, 6.0, "1103 ± 6"),
        (0.99, 0.0017, "0.9900 ± 0.0017"),
        (-0.016, 0.026, "−0.02 ± 0.03"),
        (5.0, None, "5"),
    ],
)
def test_digits_follow_the_error(value: float, stderr: float | None, text: str) -> None:
    assert scores.written(scores.BY_NAME["frechet"], metric(value, stderr)) == text


def test_csv_holds_every_number_with_its_error_size_and_protocol() -> None:
    given = [c for c in columns.COLUMNS if c.group != "overview"]
    lines = list(csv.DictReader(io.StringIO(scores.as_csv(given, FOUND).decode())))
    assert [line["model"] for line in lines] == [row["name"] for row in FOUND]
    flow = lines[0]
    assert float(flow["frechet"]) == 11.6 and float(flow["frechet_stderr"]) == 0.9 and flow["frechet_n"] == "2000"
    assert flow["bits_per_dim_kind"] == "exact" and float(flow["frechet_floor"]) == 0.37
    assert flow["coverage"] == "" and "dequantisation" in flow["bits_per_dim_protocol"]


def test_png_is_a_picture_of_the_table() -> None:
    given = [c for c in columns.COLUMNS if c.overview]
    image = Image.open(io.BytesIO(scores.as_png(given, FOUND)))
    assert image.format == "PNG" and image.width > 600 and image.height > 100


# ---- the charts


def test_quality_against_time_and_its_frontier() -> None:
    told = chart("time")
    assert {p["label"]: p["y"] for p in told["points"]} == {"flow": 11.6, "diffusion": 0.94, "vae": 11.7, "gan": 5.8}
    assert told["frontier"] == [[0.0018, 11.7], [0.0034, 5.8], [0.92, 0.94]]  # the flow is beaten in both
    assert told["floor"]["value"] == 0.37
    assert [p["label"] for p in chart("time", "binary")["points"]] == ["vae"]
    assert chart("time", "binary")["points"][0]["y"] == 8.9 and chart("time", "binary")["floor"]["value"] == 0.30


def test_likelihoods_of_other_pixels_or_without_a_constant_are_left_out() -> None:
    points = {p["label"]: p for p in chart("likelihood")["points"]}
    assert set(points) == {"flow", "diffusion"} and points["diffusion"]["bound"] and not points["flow"]["bound"]
    binary = chart("likelihood", "binary")
    assert [p["x"] for p in binary["points"]] == [86.57] and "nats" in binary["x"]["title"]


def test_sweeps_are_read_from_the_names_of_the_metrics() -> None:
    lines = {line["label"]: [p["x"] for p in line["points"]] for line in chart("steps")["lines"]}
    assert lines == {"diffusion": [1, 8]}  # a lone point is shown only of a model without a sweep
    (line,) = chart("guidance")["lines"]
    assert line["points"][0]["x"] == 1.5 and "right class: 0.99" in line["points"][0]["lines"][-1]


def test_a_chart_without_points_says_what_to_run() -> None:
    for told in charts.charts(FOUND, "stripes", "8-bit", "coverage"):
        assert "python -m playground.evaluation NAME --only" in told["empty"]
        assert told["look"].endswith(".")
    assert charts.measured_pixels(FOUND, "dots") == ["8-bit", "binary"]
    assert charts.measured_pixels(FOUND, "stripes") == ["8-bit"]


# ---- what the page asks


def asked(name: str, **question: Any) -> dict[str, Any]:
    return next(f for f in functions(Fake()) if f.__name__ == name)(question)


def test_what_the_page_asks() -> None:
    facts = asked("scores_facts")
    assert facts["ok"] and [row["name"] for row in facts["rows"]] == ["alpha", "alpha-large", "beta", "gamma"]
    assert {c["name"] for c in facts["columns"]} == set(facts["rows"][0]["cells"])
    assert len(asked("scores_charts", data="dots", pixels="8-bit", quality="frechet")["charts"]) == 5
    assert asked("scores_file", format="csv", columns=["frechet"], rows=["beta"])["name"] == "scores.csv"
    assert asked("sheet", model="alpha")["png"]


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("scores_charts", {"quality": "beauty"}),
        ("scores_file", {"format": "exe"}),
        ("scores_file", {"format": "csv", "columns": 3, "rows": []}),
    ],
)
def test_a_strange_question_is_answered_with_a_sentence(name: str, question: dict[str, Any]) -> None:
    answered = asked(name, **question)
    assert not answered["ok"] and answered["error"].endswith(".")


def test_the_charting_library_is_served_from_here() -> None:
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    client = TestClient(Starlette(routes=routes()))
    whole = client.get("/plotly.min.js")
    assert whole.headers["content-encoding"] == "gzip" and "plotly.js" in whole.text[:200]
    plain = client.get("/plotly.min.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.content == whole.content
    assert len(gzip.compress(plain.content[:1000])) < 1000


# ---- measuring while one waits


@pytest.mark.data
@pytest.mark.weights
def test_a_distance_measured_now_agrees_with_the_card() -> None:
    card = catalog.cards()["mnist-gan"]
    views = last(Local("cpu"), "mnist-gan", "measure", n=256)
    curve = views["main"]
    assert isinstance(curve, Curve) and curve.x[0, -1] == 256 and curve.error is not None
    assert len(curve.x[0]) >= 2 and curve.series[1] == "as many training pictures"
    assert curve.y[0, -1] > curve.y[1, -1]  # worse than training pictures at the same n
    assert abs(curve.y[0, -1] - card.metrics["frechet"].value) < 6 * curve.error[0, -1] + 2


@pytest.mark.data
@pytest.mark.weights
def test_too_few_for_a_frechet_distance() -> None:
    view = last(Local("cpu"), "mnist-gan", "measure", n=100)["main"]
    assert isinstance(view, Refusal) and "at least 128" in view.text and "kernel distance" in view.text


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        yield Local("cpu")


def last(backend: Local, name: str, activity: str, **knobs: Any) -> dict[str, View]:
    views = list(backend.run(Request(name, activity, knobs, 3)))
    return {v.key: v for v in views if not isinstance(v, Progress)}


def test_portions_cover_all_once_and_stop_in_time() -> None:
    parts = list(portions(300))
    assert [i for part in parts for i in part] == list(range(300))
    assert len(parts) < 12 and list(portions(300, limit=0.0)) == []


def test_marks() -> None:
    marks = Marks(("a", "b"))
    marks.add(100, (2.0, 0.5), (1.0, 0.25))
    marks.add(200, (1.8, 0.3), (0.9, 0.2))
    curve = marks.curve("distance", "x", "", 0.0)
    np.testing.assert_array_equal(curve.y, [[2.0, 1.8], [1.0, 0.9]])
    assert curve.error is not None and curve.error[0].tolist() == [0.5, 0.3]
    assert marks.table().rows[0][1] == "1.8" and marks.table().columns[0] == "at n = 200"


@pytest.mark.data
def test_a_measured_likelihood_is_the_mean_over_the_pictures(local: Local) -> None:
    from playground.evaluation.pictures import real

    views = last(local, "toy-plain", "measure", what="likelihood", n=50)
    curve = views["main"]
    assert isinstance(curve, Curve) and "nats" in curve.axes[1] and curve.x[0, -1] == 50
    with torch.no_grad():
        x = real("mnist", "continuous", "test", 50).x
        nats = -local.model("toy-plain").log_prob(x, None).nats.double()  # type: ignore[operator]
    assert math.isclose(curve.y[0, -1], float(nats.mean()), rel_tol=1e-6)
    assert curve.error is not None and math.isclose(curve.error[0, -1], float(nats.std()) / math.sqrt(50), rel_tol=1e-6)


def test_what_cannot_be_measured_is_refused_with_a_way_out(local: Local) -> None:
    none = last(local, "toy-blob", "measure", what="likelihood")["main"]
    assert isinstance(none, Refusal) and "Ask for a distance" in none.text
    judge = last(local, "toy-plain", "measure", n=200)["main"]
    assert isinstance(judge, Refusal) and "classifier" in judge.text


# ---- two models


def told(nats: list[float], measure: Any = "8-bit pixels", kind: Any = "exact") -> LogProb:
    return LogProb(torch.tensor(nats), kind, measure)


def test_sets_come_in_turn() -> None:
    parts = split(told([0, 1, 2, 10, 11, 12, 20]), 3)  # the last picture has no companions
    assert [p.tolist() for p in parts] == [[0, 10], [1, 11], [2, 12]]


def test_histograms_share_bins_and_lose_nothing() -> None:
    rng = np.random.default_rng(0)
    known = told(np.stack([rng.normal(0, 1, 200), rng.normal(0, 1, 200), rng.normal(-500, 1, 200)], 1).ravel().tolist())
    view = histogram(known, "m", "h", ("a", "b", "c"), "")
    for y in view.y:
        assert math.isclose(y[1:-1:2].sum(), 1.0)
    low, high = window(split(known, 3))
    assert -40 < low < -5 and 1 < high < 5  # the far ones do not squeeze the near ones
    assert window([np.array([-np.inf]), np.array([-np.inf])]) == (0.0, 1.0)


def test_a_scatter_only_of_one_measure() -> None:
    names = ("train", "test", "other")
    first = told([-1.0, -2, -3, -1.5, -2.5, -3.5])
    refused = scatter({"A": first, "B": told([-1.0] * 6, "binary pixels")}, names)
    assert isinstance(refused, Text) and "without a common scale" in refused.text
    both = scatter({"A": first, "B": told([-1.0, -1, -1, -1, -1, -1], kind="lower bound")}, names)
    assert isinstance(both, Curve) and both.marks and both.x.shape == (3, 2)
    assert "finds 2 more probable" in both.caption and "a lower bound" in both.caption


def test_agreement() -> None:
    a = np.arange(10.0)
    assert math.isclose(agreement(a, a**3), 1.0) and math.isclose(agreement(a, -a), -1.0)


@pytest.mark.data
def test_versus(local: Local) -> None:
    views = last(local, "toy-plain", "versus", n=20, others=["toy-classes"])
    assert list(views) == ["histogram 1", "figures", "histogram 2", "scatter"]
    table = views["figures"]
    assert isinstance(table, Table) and len(table.rows) == 2 and table.rows[0][1] == "exact"
    assert "Fashion-MNIST" in table.columns[-1]
    assert list(last(local, "toy-plain", "versus", n=20, others=[])) == ["histogram 1", "figures"]
