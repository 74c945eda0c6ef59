"""The programming interface on a real server."""

from __future__ import annotations

import inspect
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from toyshelf import ask, serving, toy_shelf

from playground.activities import activities
from playground.backends import Request
from playground.backends.local import Local
from playground.knobs import Refused, knobs
from playground.ui.api import export_bytes, helps
from playground.views import Images, Progress, from_json

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        yield Local("cpu")


@pytest.fixture(scope="module")
def url(local: Local) -> Iterator[str]:
    with serving(local) as address:
        yield address


def test_the_pages_know_nothing_of_tensors() -> None:
    for path in (ROOT / "playground" / "ui").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) torch\b", path.read_text(encoding="utf-8"), re.MULTILINE), path
    code = "import sys, playground.ui.api; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_summaries_are_read_without_importing() -> None:
    told = helps()
    assert set(told) == set(activities())
    for name, activity in activities().items():
        summary, line = told[name]
        assert summary == activity.help
        assert line.startswith(", ".join(s.name for s in knobs(activity.run, labels=("a",), others=("b",))))


def test_one_documented_endpoint_for_each_thing_to_do(url: str) -> None:
    info = httpx.get(f"{url}gradio_api/info").json()["named_endpoints"]
    assert set(info) == {f"/{name}" for name in (*activities(), "run", "describe", "sheet")}
    parameters = {p["parameter_name"]: p for p in info["/generate"]["parameters"]}
    assert list(parameters) == ["model", "seed", "knobs"]
    assert parameters["seed"]["type"]["type"] == "integer" and parameters["knobs"]["parameter_default"] == {}
    assert activities()["generate"].help in info["/generate"]["description"]


@pytest.mark.parametrize("name", list(activities()))
def test_every_activity_streams_views(url: str, local: Local, name: str) -> None:
    views = [from_json(r) for r in ask(url, name, "toy-classes", 7, {})]
    direct = [v for v in local.run(Request("toy-classes", name, {}, 7)) if not isinstance(v, Progress)]
    final = {v.key: v for v in views if not isinstance(v, Progress)}
    assert list(final) == list({v.key: v for v in direct})
    for view in direct:
        if isinstance(view, Images):
            np.testing.assert_array_equal(vars(final[view.key])["pixels"], view.pixels)


def test_run_takes_a_whole_request(url: str) -> None:
    from gradio_client import Client

    request = Request("toy-blob", "generate", {"n": 2}, 5).to_json()
    (record,) = ask(url, "run", request)
    assert record["view"] == "Images" and record["pixels"]["shape"] == [2, 28, 28, 1]
    client = Client(url, ssl_verify=False, verbose=False, analytics_enabled=False)
    only = client.predict("toy-blob", api_name="/generate")
    assert only["pixels"]["shape"][0] == 16  # seed 0, all knobs at their defaults


def test_facts(url: str, local: Local) -> None:
    assert [m["name"] for m in ask(url, "describe")[0]["models"]] == [m["name"] for m in local.describe()["models"]]
    assert ask(url, "sheet", "toy-blob") == [""]


def test_export(local: Local) -> None:
    request = Request("toy-classes", "interpolate", {"pairs": 1}, 3)
    for format in ("png", "gif", "npz"):
        name, data = export_bytes(local, request, format)
        assert name == f"toy-classes-interpolate-3.{format}"
        if format == "npz":
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                assert file["film.pixels"].shape == (12, 2, 28, 28, 1)
        else:
            assert Image.open(io.BytesIO(data)).format == format.upper()


def test_export_refuses(local: Local) -> None:
    with pytest.raises(Refused, match="png, gif, npz"):
        export_bytes(local, Request("toy-blob", "generate"), "../exe")
    with pytest.raises(Refused, match="single pass"):
        export_bytes(local, Request("toy-blob", "watch"), "png")


def test_no_endpoint_can_be_given_code(url: str) -> None:
    assert inspect.isgeneratorfunction(activities()["generate"].run)
    (answer,) = ask(url, "run", {"model": "toy-blob", "activity": "__import__('os')"})
    assert answer["view"] == "Refusal"
