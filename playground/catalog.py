"""The shelf of trained models: the folders of ``pretrained/`` are the registry.

A folder holds ``card.json``, ``model.safetensors``, ``samples.png`` and ``log.csv``. Nothing in it is trusted: a card
can only name a Model inside ``playground.families``, the weights must have the checksum the card states, and no pickle
is read.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import os
import pkgutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError

import playground.families
from playground.capabilities import Model

WEIGHTS = "model.safetensors"


class Unusable(ValueError):
    """A model folder that cannot be opened; the text says why in one sentence."""


@dataclass(frozen=True)
class Metric:
    """A measured number: never without its protocol.

    Args:
        value: the number.
        stderr: its standard error, or None where it has none.
        n: how many samples it rests on.
        kind: exact, lower bound, estimate, or unnormalised.
        split: the data it was measured on: test, valid, train, or none.
        protocol: how, in words.
    """

    value: float
    stderr: float | None
    n: int
    kind: str
    split: str
    protocol: str


@dataclass(frozen=True)
class Card:
    """What is known of one trained model: the contents of its ``card.json``, exactly.

    Args:
        name: the folder's name.
        family: a module of ``playground.families``.
        model: a Model in that module.
        init: the keyword arguments it was made with.
        data: the data set it was trained on.
        labels: the classes it can be conditioned on.
        recipe: the module of ``playground.recipes`` that trained it.
        seed: the training seed.
        commit: the commit of the code that trained it.
        parameters: how many trained numbers are stored.
        trained: device, seconds and steps; how many data had a label, if not all.
        metrics: what was measured on it.
        published: numbers from the literature: metric, value and source.
        licence: of the weights, with that of the data.
        sha256: of ``model.safetensors``.
    """

    name: str
    family: str
    model: str
    init: dict[str, Any]
    data: str
    labels: tuple[str, ...]
    recipe: str
    seed: int
    commit: str
    parameters: int
    trained: dict[str, Any]
    metrics: dict[str, Metric] = field(default_factory=dict)
    published: tuple[dict[str, Any], ...] = ()
    licence: str = ""
    sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(record: Any, name: str) -> Card:
        """The card that ``to_json`` wrote.

        Raises:
            Unusable: a field is missing, unknown or of the wrong type, or the card's name is not the folder's.
        """
        wanted = {f.name for f in fields(Card)}
        if not isinstance(record, dict) or set(record) != wanted:
            odd = wanted.symmetric_difference(record) if isinstance(record, dict) else {"everything"}
            raise Unusable(f"{name}: card.json must hold exactly the known fields; check {', '.join(sorted(odd))}.")
        plain: dict[str, type | tuple[type, ...]] = {
            "name": str, "family": str, "model": str, "init": dict, "data": str, "labels": list, "recipe": str,
            "seed": int, "commit": str, "parameters": int, "trained": dict, "metrics": dict, "published": list,
            "licence": str, "sha256": str,
        }  # fmt: skip
        for key, kind in plain.items():
            if not isinstance(record[key], kind):
                raise Unusable(f"{name}: {key} in card.json has the wrong type.")
        if record["name"] != name:
            raise Unusable(f"{name}: card.json is of another model, {record['name']!r}.")
        inner = {"labels": (record["labels"], str), "published": (record["published"], dict)}
        for key, (entries, kind) in inner.items():
            if not all(isinstance(entry, kind) for entry in entries):
                raise Unusable(f"{name}: an entry of {key} in card.json has the wrong type.")
        try:
            metrics = {k: Metric(**v) for k, v in record["metrics"].items()}
        except TypeError as error:
            raise Unusable(f"{name}: a metric in card.json is malformed ({error}).") from None
        for key, m in metrics.items():
            numbers = isinstance(m.value, int | float) and isinstance(m.stderr, int | float | None)
            words = all(isinstance(text, str) for text in (m.kind, m.split, m.protocol))
            if not (numbers and words and isinstance(m.n, int)):
                raise Unusable(f"{name}: the metric {key!r} in card.json has a value of the wrong type.")
        lists = {"labels": tuple(record["labels"]), "published": tuple(record["published"])}
        return Card(**{**record, **lists, "metrics": metrics})


def root() -> Path:
    """The folder of trained models: ``PLAYGROUND_PRETRAINED``, or ``pretrained/`` beside the code."""
    return Path(os.environ.get("PLAYGROUND_PRETRAINED") or Path(__file__).parent.parent / "pretrained")


def cards() -> dict[str, Card]:
    """The card of every model on the shelf that can be read, by name."""
    good = {}
    for folder in sorted(p.parent for p in root().glob("*/card.json")):
        try:
            good[folder.name] = read_card(folder)
        except Unusable:
            continue
    return good


def broken() -> dict[str, str]:
    """Why each folder on the shelf that cannot be read cannot, by name."""
    bad = {}
    for folder in sorted(p.parent for p in root().glob("*/card.json")):
        try:
            read_card(folder)
        except Unusable as error:
            bad[folder.name] = str(error)
    return bad


def read_card(folder: Path) -> Card:
    """The card in ``folder``, and with it the assurance that its family exists.

    Raises:
        Unusable: the card is malformed or names anything but a model of ``playground.families``.
    """
    try:
        record = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise Unusable(f"{folder.name}: card.json cannot be read ({error}).") from None
    card = Card.from_json(record, folder.name)
    family_class(card)
    return card


@cache
def families() -> dict[str, type[Model]]:
    """Every family: ``module.Class`` to the class, for the models defined in each file of ``playground.families``."""
    found: dict[str, type[Model]] = {}
    for info in pkgutil.iter_modules(playground.families.__path__):
        module = importlib.import_module(f"playground.families.{info.name}")
        for name, value in vars(module).items():
            own = inspect.isclass(value) and value.__module__ == module.__name__
            if own and issubclass(value, Model) and not inspect.isabstract(value):
                found[f"{info.name}.{name}"] = value
    return found


def family_class(card: Card) -> type[Model]:
    """The class that a card names.

    Raises:
        Unusable: there is no such model among ``playground.families``.
    """
    try:
        return families()[f"{card.family}.{card.model}"]
    except KeyError:
        raise Unusable(
            f"{card.name}: no model {card.model!r} in a family {card.family!r}; it can only be opened by code that has"
            " it."
        ) from None


@lru_cache(maxsize=32)
def load(name: str) -> Model:
    """The model called ``name``, ready to use on the CPU, shared by all who ask.

    Raises:
        Unusable: no such model, a malformed card, or weights that are truncated, tampered with or do not fit.
    """
    folder = root() / name
    if name not in {card.parent.name for card in root().glob("*/card.json")}:  # not "..", nor a path
        raise Unusable(f"There is no model {name!r:.60} here; there are {', '.join(cards()) or 'none'}.")
    card = read_card(folder)
    try:
        data = (folder / WEIGHTS).read_bytes()
    except OSError:
        raise Unusable(f"{name}: {WEIGHTS} is missing; put the file back or fetch the model again.") from None
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise Unusable(
            f"{name}: {WEIGHTS} is not the file its card describes (truncated or changed); fetch the model again."
        )
    try:
        model = family_class(card)(**card.init)
    except (RuntimeError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError, AssertionError) as error:
        raise Unusable(f"{name}: no model can be made with the init of its card ({_short(error)}).") from None
    if len(model.labels) != len(card.labels):
        raise Unusable(f"{name}: its card names {len(card.labels)} labels, but the model has {len(model.labels)}.")
    model.labels = card.labels
    try:
        model.weights().load_state_dict(safetensors.torch.load(data))
    except (SafetensorError, RuntimeError) as error:
        raise Unusable(f"{name}: the weights do not fit the model its card describes ({_short(error)}).") from None
    return model.eval().requires_grad_(False)


def save(model: Model, card: Card, half: bool = False) -> Path:
    """Write a model's folder (weights, card, sidecar files), each file whole or not at all.

    Args:
        model: what to store.
        card: its card; the checksum is filled in.
        half: store the weights in half precision; they are opened in single precision again.

    Returns:
        The folder.
    """
    folder = root() / card.name
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().contiguous().cpu() for k, v in model.weights().state_dict().items()}
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    data = safetensors.torch.save(state, metadata={"format": "pt"})
    write_whole(folder / WEIGHTS, data)
    for name, text in model.sidecars().items():
        write_whole(folder / name, text.encode())
    save_card(replace(card, sha256=hashlib.sha256(data).hexdigest()))
    return folder


def save_card(card: Card) -> None:
    """Write ``card.json`` alone: after a new measurement."""
    text = json.dumps(card.to_json(), indent=1, ensure_ascii=False) + "\n"
    write_whole(root() / card.name / "card.json", text.encode())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a kill at any moment leaves the old one or the new one, never half of one."""
    part = path.with_name(f".{path.name}.part")
    with open(part, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def metrics_with(card: Card, measured: Mapping[str, Metric]) -> Card:
    """The card with new measurements put in, old ones of other names kept."""
    return replace(card, metrics={**card.metrics, **measured})
