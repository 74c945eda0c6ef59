"""The shelf: what is not a good model's folder is refused in one sentence, and the others go on standing there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from toyshelf import put

from playground import catalog
from playground.catalog import Metric, Unusable, write_whole
from playground.families.vae import VAE
from playground.rng import Rng

INIT: dict[str, Any] = {"shape": [1, 4, 4], "latent": 2, "width": 8, "depth": 1}


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two small VAEs, ``good`` and ``bad``; tests spoil the second."""
    monkeypatch.setenv("PLAYGROUND_PRETRAINED", str(tmp_path))
    catalog.load.cache_clear()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for name in ("bad", "good"):
            put(VAE(**INIT), name, **INIT)
    yield tmp_path
    catalog.load.cache_clear()


def assert_refused(says: str) -> None:
    """``bad`` cannot be loaded, for one sentence that names it; ``good`` can."""
    with pytest.raises(Unusable) as refusal:
        catalog.load("bad")
    said = str(refusal.value)
    assert says in said and "bad" in said and "\n" not in said and said.endswith(".")
    assert "good" in catalog.cards()
    assert catalog.load("good")


def assert_listed_as_broken(says: str) -> None:
    """The card alone tells: the shelf lists it with the reason, without opening its weights."""
    assert_refused(says)
    assert list(catalog.cards()) == ["good"]
    assert list(catalog.broken()) == ["bad"] and says in catalog.broken()["bad"]


def edit(shelf: Path, **changes: Any) -> None:
    path = shelf / "bad" / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


METRIC = {"value": 1.0, "stderr": None, "n": 1, "kind": "exact", "split": "test", "protocol": "counted"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"family": "os", "model": "system"}, "no model 'system' in a family 'os'"),
        ({"family": ".."}, "no model"),
        ({"family": "../../vae"}, "no model"),
        ({"family": ""}, "no model"),
        ({"family": "playground.families.vae"}, "no model"),
        ({"family": "vae.VAE", "model": "__init__"}, "no model"),
        ({"model": "nn.Sequential"}, "no model"),
        ({"model": "torch"}, "no model"),
        ({"model": "Density"}, "no model"),
        ({"model": "_rate"}, "no model"),
        ({"name": "good"}, "of another model, 'good'"),
        ({"extra": 1}, "check extra"),
        ({"family": ["vae"]}, "family in card.json has the wrong type"),
        ({"init": [1]}, "init in card.json has the wrong type"),
        ({"seed": "0"}, "seed in card.json has the wrong type"),
        ({"labels": [1, 2]}, "labels"),
        ({"labels": [{}]}, "labels"),
        ({"published": ["best ever"]}, "published"),
        ({"metrics": {"nll": 3}}, "metric"),
        ({"metrics": {"nll": {"value": 3}}}, "metric"),
        ({"metrics": {"nll": METRIC | {"why": ""}}}, "metric"),
        ({"metrics": {"nll": METRIC | {"value": "<script>"}}}, "'nll'"),
        ({"metrics": {"nll": METRIC | {"protocol": 7}}}, "'nll'"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_a_card_that_is_not_a_card(shelf: Path, changes: dict[str, Any], says: str) -> None:
    edit(shelf, **changes)
    assert_listed_as_broken(says)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"null", b"[]", b'"card"', b"\xff\xfe", b"[" * 100_000, b'{"name": "bad"}'],
    ids=["empty", "cut", "null", "list", "text", "no UTF-8", "deep", "fields missing"],
)
def test_a_card_that_is_not_even_a_record(shelf: Path, text: bytes) -> None:
    (shelf / "bad" / "card.json").write_bytes(text)
    assert_listed_as_broken("card.json")


def test_a_card_that_is_a_folder(shelf: Path) -> None:
    (shelf / "bad" / "card.json").unlink()
    (shelf / "bad" / "card.json").mkdir()
    assert_listed_as_broken("card.json cannot be read")


def test_a_card_cannot_run_code(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even a module that lies where Python would find it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    witness = tmp_path / "witness"
    (tmp_path / "evil.py").write_text(f"open({str(witness)!r}, 'w').close()\nclass VAE: pass\n")
    (shelf / "bad" / "evil.py").write_text((tmp_path / "evil.py").read_text())
    for family in ("evil", "..evil", "bad.evil", "playground.families.evil", str(tmp_path / "evil")):
        edit(shelf, family=family)
        assert_listed_as_broken("no model")
    assert not witness.exists()


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize(
    "init",
    [
        INIT | {"depth": 2},
        INIT | {"width": 9},
        INIT | {"colour": "red"},
        INIT | {"shape": []},
        INIT | {"shape": "wide"},
        INIT | {"shape": 7},
        INIT | {"width": 0},
        INIT | {"width": -1},
        INIT | {"latent": None},
        INIT | {"latent": 2.5},
        INIT | {"width": 10**13},
        INIT | {"width": 10**40},
        {"self": 1},
        {},
    ],
    ids=json.dumps,
)
def test_an_init_that_does_not_fit_the_weights(shelf: Path, init: dict[str, Any]) -> None:
    edit(shelf, init=init)
    assert_refused("card")


def test_labels_that_the_model_does_not_have(shelf: Path) -> None:
    edit(shelf, labels=["cat", "dog"])
    assert_refused("its card names 2 labels, but the model has 0")


@pytest.mark.parametrize(
    "spoil",
    [lambda b: b[:-1], lambda b: b[:7], lambda b: b"", lambda b: b[:-1] + b"\x01", lambda b: b + b" "],
    ids=["truncated", "a stub", "empty", "one bit", "longer"],
)
def test_weights_that_are_not_those_of_the_card(shelf: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = shelf / "bad" / "model.safetensors"
    path.write_bytes(spoil(path.read_bytes()))
    assert_refused("truncated or changed")


@pytest.mark.parametrize("data", [b"", b"\x80\x04K\x01.", b"x" * 100, None], ids=["empty", "pickle", "text", "others"])
def test_weights_that_fit_their_checksum_but_not_the_model(shelf: Path, data: bytes | None) -> None:
    content = safetensors.torch.save({"weight": torch.zeros(3)}) if data is None else data
    path = shelf / "bad" / "model.safetensors"
    path.write_bytes(content)
    edit(shelf, sha256=hashlib.sha256(content).hexdigest())
    assert_refused("do not fit")


def test_weights_of_another_shape_say_which(shelf: Path) -> None:
    state = VAE(**INIT).state_dict() | {"encoder.0.weight": torch.zeros(8, 3)}
    content = safetensors.torch.save(state)
    (shelf / "bad" / "model.safetensors").write_bytes(content)
    edit(shelf, sha256=hashlib.sha256(content).hexdigest())
    assert_refused("encoder.0.weight")


def test_weights_that_are_missing(shelf: Path) -> None:
    (shelf / "bad" / "model.safetensors").unlink()
    assert_refused("model.safetensors is missing")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../good", "good/", "good/../good", "a\0b", "x" * 5000, "/", "*", "none"]
)
def test_a_name_that_is_not_on_the_shelf(name: str) -> None:
    with pytest.raises(Unusable, match="There is no model"):
        catalog.load(name)


def test_an_empty_shelf_and_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (tmp_path / "empty", tmp_path / "nowhere"):
        monkeypatch.setenv("PLAYGROUND_PRETRAINED", str(folder))
        assert catalog.cards() == catalog.broken() == {}
        with pytest.raises(Unusable, match="there are none"):
            catalog.load("good")
        (tmp_path / "empty").mkdir(exist_ok=True)


def test_a_card_is_read_as_it_was_written() -> None:
    card = replace(
        catalog.cards()["good"],
        metrics={"nll": Metric(81.5, 0.25, 10_000, "exact", "test", "in nats – with a dash")},
        published=({"metric": "NLL", "value": 80.0, "source": "them"},),
    )
    catalog.save_card(card)
    assert catalog.cards()["good"] == card


def test_models_are_shared_and_ready() -> None:
    model = catalog.load("good")
    assert catalog.load("good") is model and not model.training
    assert not any(p.requires_grad for p in model.parameters())
    assert isinstance(model, VAE) and model.sample(Rng(0, 2)).shape == (2, 1, 4, 4)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    write_whole(path, b"new")
    assert path.read_bytes() == b"new" and [p.name for p in tmp_path.glob("*file*")] == ["file"]


def test_new_measurements_are_put_beside_old_ones() -> None:
    one, two, three = (Metric(v, None, 1, "exact", "test", "") for v in (1.0, 2.0, 3.0))
    card = replace(catalog.cards()["good"], metrics={"a": one, "b": two})
    assert catalog.metrics_with(card, {"b": three}).metrics == {"a": one, "b": three}
    assert card.metrics["b"] == two


def test_each_family_is_found_under_its_files_name() -> None:
    found = catalog.families()
    assert found["vae.VAE"] is VAE
    for name, family in found.items():
        assert name == f"{family.__module__.rsplit('.', 1)[1]}.{family.__name__}"
        assert family.__module__.startswith("playground.families.")
