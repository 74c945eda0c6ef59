"""Whatever is sent: one clear sentence, and the server goes on serving others. Nothing sent is ever executed."""

from __future__ import annotations

import base64
import io
import json
import math
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from test_knobs import png_header
from toyshelf import ask, put, serving, toy_shelf

from playground import catalog
from playground.backends import MAX_SEED, Request
from playground.backends.local import Local
from playground.views import Images, Refusal


def black(side: int) -> str:
    buffer = io.BytesIO()
    Image.new("L", (side, side)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


GOOD = {"model": "toy-classes", "activity": "generate", "knobs": {"n": 1}, "seed": 1}
BAD: dict[str, Any] = {
    "a hundred thousand pictures": {**GOOD, "knobs": {"n": 100_000}},
    "no number": {**GOOD, "knobs": {"temperature": math.nan}},
    "infinity": {**GOOD, "knobs": {"temperature": math.inf}},
    "text for a number": {**GOOD, "knobs": {"n": "16"}},
    "a list for a number": {**GOOD, "knobs": {"n": [[[[1]]]]}},
    "true for a number": {**GOOD, "knobs": {"n": True}},
    "null": {**GOOD, "knobs": {"n": None}},
    "a long number": {**GOOD, "knobs": {"n": 10**300}},
    "an unknown label": {**GOOD, "knobs": {"label": "cat"}},
    "an unknown model": {**GOOD, "model": "mnist-secret"},
    "a path": {**GOOD, "model": "../../etc"},
    "no model": {**GOOD, "model": None},
    "an unknown activity": {**GOOD, "activity": "delete"},
    "a misfit": {**GOOD, "model": "toy-blob", "activity": "watch", "knobs": {}},
    "an unknown knob": {**GOOD, "knobs": {"__class__": 1}},
    "a knob that is the model's": {**GOOD, "knobs": {"model": "x"}},
    "knobs as a list": {**GOOD, "knobs": [1]},
    "a negative seed": {**GOOD, "seed": -1},
    "a large seed": {**GOOD, "seed": MAX_SEED + 1},
    "a broken seed": {**GOOD, "seed": 1.5},
    "more than a request": {**GOOD, "code": "import os"},
    "no request": [1, 2],
    "nothing": None,
    "no picture": {**GOOD, "activity": "reconstruct", "knobs": {"picture": text(b"#!/bin/sh\nrm -rf /")}},
    "a page instead of a picture": {**GOOD, "activity": "neighbours", "knobs": {"picture": text(b"<svg/>")}},
    "a bomb's header": {**GOOD, "activity": "reconstruct", "knobs": {"picture": text(png_header(30_000, 30_000))}},
    "a bomb": {**GOOD, "activity": "reconstruct", "knobs": {"picture": black(6000)}},
    "six megabytes of picture": {**GOOD, "activity": "reconstruct", "knobs": {"picture": text(bytes(6_000_000))}},
    "unknown others": {**GOOD, "activity": "compare", "knobs": {"others": ["toy-plain", "nobody"]}},
    "itself beside itself": {**GOOD, "activity": "compare", "knobs": {"others": ["toy-classes"]}},
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with toy_shelf(tmp_path_factory.mktemp("toys")) as folder:
        yield folder


@pytest.fixture(scope="module")
def url(shelf: Path) -> Iterator[str]:
    with serving(Local("cpu")) as address:
        yield address


def is_one_sentence(record: dict[str, Any]) -> bool:
    said = record["text"]
    odd = ("Traceback", "Error:", "went wrong", "\n", "/tmp", "site-packages")
    return (
        record["view"] == "Refusal" and 10 < len(said) < 400 and said.endswith(".") and not any(o in said for o in odd)
    )


@pytest.mark.parametrize("name", [n for n in BAD if n not in ("no number", "infinity")])  # those are sent raw below
def test_through_the_api(url: str, name: str) -> None:
    (record,) = ask(url, "run", BAD[name])
    assert is_one_sentence(record), record
    assert ask(url, "run", GOOD)[-1]["view"] == "Images"


@pytest.mark.parametrize("name", [n for n, record in BAD.items() if isinstance(record, dict)])
def test_directly(shelf: Path, name: str) -> None:
    record = BAD[name]
    known = {k: v for k, v in record.items() if k != "code"}
    if known == GOOD:
        return
    (view,) = Local("cpu").run(Request(**known))
    assert isinstance(view, Refusal) and is_one_sentence(view.to_json()), view


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_raw_numbers_that_json_does_not_have(url: str, number: str) -> None:
    request = json.dumps({**GOOD, "knobs": {"temperature": "?"}}).replace('"?"', number)
    body = f'{{"data": [{request}]}}'
    answer = httpx.post(f"{url}gradio_api/run/run", content=body, headers={"content-type": "application/json"})
    if answer.status_code == 200:
        assert is_one_sentence(answer.json()["data"][0])
    else:
        assert answer.status_code in (400, 422) and "Traceback" not in answer.text
    assert ask(url, "run", GOOD)[-1]["view"] == "Images"


def test_a_body_of_sixty_megabytes(url: str) -> None:
    where = f"{url}gradio_api/run/run"
    answer = httpx.post(where, content=b'{"data": ["' + b"x" * 60_000_000 + b'"]}', timeout=60)
    assert answer.status_code == 413 and answer.json()["detail"].startswith("That request is too large")

    def drops() -> Iterator[bytes]:
        for _ in range(60):
            yield b"x" * 1_000_000

    try:  # without a stated length: the server stops listening
        status = httpx.post(where, content=drops(), timeout=60).status_code
    except httpx.TransportError:
        status = 413
    assert status == 413
    assert ask(url, "run", GOOD)[-1]["view"] == "Images"


def test_others_are_served_meanwhile(url: str) -> None:
    bad = [record for record in BAD.values() if isinstance(record, dict) and json.dumps(record).isascii()]
    bad = [record for record in bad if "NaN" not in json.dumps(record) and "Infinity" not in json.dumps(record)][:12]
    sent = [r for pair in zip(bad, [{**GOOD, "seed": i} for i in range(len(bad))], strict=True) for r in pair]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda r: ask(url, "run", r), sent))
    assert [a[-1]["view"] for a in answers] == ["Refusal", "Images"] * len(bad)


def folder(shelf: Path, name: str, **changes: Any) -> Path:
    """A copy of toy-plain with another name and changes to its card."""
    copy = shelf / name
    shutil.copytree(shelf / "toy-plain", copy)
    card = json.loads((copy / "card.json").read_text())
    (copy / "card.json").write_text(json.dumps({**card, "name": name, **changes}))
    return copy


def asked(name: str, activity: str = "generate") -> str:
    """What is answered to a request for a broken model; a sound one is served besides."""
    local = Local("cpu")
    view = list(local.run(Request(name, activity)))[-1]
    assert isinstance(view, Refusal) and is_one_sentence(view.to_json()), view
    assert isinstance(list(local.run(Request("toy-blob", "generate")))[-1], Images)
    assert "toy-blob" in [m["name"] for m in local.describe()["models"]]
    return view.text


def test_weights_cut_short(shelf: Path) -> None:
    weights = folder(shelf, "toy-cut") / catalog.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-100])
    assert "truncated or changed" in asked("toy-cut")


def test_weights_tampered_with(shelf: Path) -> None:
    weights = folder(shelf, "toy-tampered") / catalog.WEIGHTS
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    assert "truncated or changed" in asked("toy-tampered")


def test_weights_missing_or_of_another_model(shelf: Path) -> None:
    (folder(shelf, "toy-empty") / catalog.WEIGHTS).unlink()
    assert "missing" in asked("toy-empty")
    folder(shelf, "toy-other", init={"shape": [1, 9, 9]})
    assert "do not fit" in asked("toy-other")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("os", {"family": "os", "model": "system"}),
        ("dots", {"family": "..evil", "model": "Toy"}),
        ("module", {"family": "playground.train", "model": "Run"}),
        ("helper", {"family": "toy", "model": "torch"}),
        ("extra", {"run": "rm -rf /"}),
        ("data", {"data": "nowhere"}),
        ("kind", {"init": ["os.system"]}),
    ],
)
def test_a_card_that_names_other_code(shelf: Path, name: str, changes: dict[str, Any]) -> None:
    folder(shelf, f"toy-{name}", **changes)
    assert asked(f"toy-{name}").startswith(f"toy-{name}: ")
    assert f"toy-{name}" in Local("cpu").describe()["broken"]


def test_a_card_with_arguments_that_do_not_exist(shelf: Path) -> None:
    folder(shelf, "toy-argument", init={"hook": "os.system"})
    assert "init" in asked("toy-argument")


def test_a_card_that_is_no_json(shelf: Path) -> None:
    (folder(shelf, "toy-noise") / "card.json").write_bytes(np.random.default_rng(0).bytes(500))
    assert "cannot be read" in asked("toy-noise")


def test_a_model_put_right_works(shelf: Path) -> None:
    weights = folder(shelf, "toy-mended") / catalog.WEIGHTS
    good = weights.read_bytes()
    weights.write_bytes(good[:10])
    local = Local("cpu")
    assert isinstance(list(local.run(Request("toy-mended", "generate")))[-1], Refusal)
    weights.write_bytes(good)
    assert isinstance(list(local.run(Request("toy-mended", "generate")))[-1], Images)


def test_a_model_that_breaks_off(shelf: Path) -> None:
    from playground.families.toy import Blob

    broken = Blob((1, 9, 9))  # its pictures are not of the data set's shape: a family's bug, not the visitor's
    put(broken, "toy-bug", shape=[1, 9, 9])
    views = list(Local("cpu").run(Request("toy-bug", "compare", {"others": ["toy-blob"]})))
    assert isinstance(views[-1], Refusal) and "Something went wrong here" in views[-1].text
