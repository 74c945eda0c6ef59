"""Which pictures a model is measured on, and which it draws: splits, seeds and binarisation, decided in one place."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground import data
from playground.capabilities import Density, Kind, Measure, Refines, Samples, Translates
from playground.catalog import write_whole
from playground.data import Dataset, Split
from playground.evaluation.parts import Task
from playground.knobs import Label, Refused, Spec, knobs
from playground.rng import Rng

SEED = 0
CHUNK = 100  # pictures drawn at once: a U-Net's activations for more fall out of the cache


@dataclass(frozen=True)
class Pictures:
    """Pictures with their provenance.

    Args:
        x: (n, *shape) float in [0, 1].
        label: (n,) class indices, int64, or None where they have none.
        words: what they are, as a clause of a protocol.
    """

    x: Tensor
    label: Tensor | None
    words: str


def base_data(name: str) -> str:
    """The data set of which ``name`` is a binarisation: ``binarized-mnist`` and ``mnist`` both give ``mnist``."""
    return name.removeprefix("binarized").lstrip("-_")


def dataset_of(name: str) -> Dataset:
    """The 8-bit data set behind a card's ``data``.

    Raises:
        Refused: the code knows no such data set.
    """
    known = data.datasets()
    if base_data(name) not in known:
        raise Refused(f"There is no data set {name!r} here; there are {', '.join(known)}.")
    return known[base_data(name)]


def real(name: str, measure: Measure, split: Split, n: int | None = None) -> Pictures:
    """Pictures of a split in the form a model's probabilities are of.

    Binary pictures come from the fixed binarisation if there is one, else from one Bernoulli draw per pixel.

    Args:
        name: a data set's name, or its binarisation's.
        measure: what the model's probabilities are of.
        split: train, valid or test.
        n: how many, drawn without replacement with the fixed seed; None or too many means all, in their order.

    Raises:
        Refused: the code knows no such data set.
        DataMissing: the data cannot be had here.
    """
    source, binary = dataset_of(name), measure == "binary pixels"
    fixed = [d for d in data.datasets().values() if d.name != source.name and base_data(d.name) == source.name]
    if binary and fixed:
        source = fixed[0]
    images, labels = source.load(split)
    total = len(images)
    index = np.arange(total)
    words = f"all {total:,} {split} pictures of {source.title}"
    if n is not None and n < total:
        index = torch.randperm(total, generator=torch.Generator().manual_seed(SEED))[:n].numpy()
        words = f"{n:,} of the {total:,} {split} pictures of {source.title} (drawn with seed {SEED})"
    x = torch.as_tensor(images[index]).float() / 255
    if binary and not fixed:
        x = torch.bernoulli(x, generator=torch.Generator().manual_seed(SEED))
        words += f", binarised by one Bernoulli draw per pixel (seed {SEED})"
    elif not binary:
        words += " in 8 bits"
    return Pictures(x, torch.as_tensor(labels[index]), words)


def measure_of(task: Task) -> Measure:
    """What the model's probabilities are of; 8-bit pixels for a model without any."""
    return _nature(task.model)[0] if isinstance(task.model, Density) else "8-bit pixels"


def kind_of(task: Task) -> Kind:
    """Whether the model's probabilities are exact, bounds, estimates or unnormalised; it must have some."""
    assert isinstance(task.model, Density)
    return _nature(task.model)[1]


@lru_cache(maxsize=4)  # asked by every part, and an ordinary differential equation takes its time
@torch.no_grad()
def _nature(model: Density) -> tuple[Measure, Kind]:
    result = model.log_prob(torch.zeros(1, *model.shape), Rng(SEED, 1))
    return result.measure, result.kind


def has_greys(pictures: Pictures) -> bool:
    """Whether any pixel is neither black nor white."""
    return bool(((pictures.x > 0) & (pictures.x < 1)).any())


def as_binary(fake: Pictures) -> Pictures:
    """A binary picture drawn from the pixel probabilities that each shows; binary ones as they are."""
    if not has_greys(fake):
        return fake
    white = Rng(SEED + 1, len(fake.x)).uniform(*fake.x.shape[1:]) < fake.x
    words = f"binary pictures, one drawn (seed {SEED + 1}) from the pixel probabilities of each of {fake.words}"
    return Pictures(white.float(), fake.label, words)


def sample_knobs(task: Task) -> dict[str, Spec]:
    """The knobs of the model's drawing, by name; ``Refines`` and ``Translates`` declare them on their own methods."""
    model = type(task.model)
    ways = ((Refines, "refine"), (Samples, "sample"), (Translates, "translate"))
    function = next((getattr(model, name) for capability, name in ways if issubclass(model, capability)), None)
    return {s.name: s for s in knobs(function, task.card.labels)} if function else {}


def defaults(task: Task) -> dict[str, Any]:
    """How the model draws and weighs if nobody turns a knob, by knob: what is measured depends on it."""
    weighing = knobs(type(task.model).log_prob, task.card.labels) if isinstance(task.model, Density) else ()
    return {"drawing": _values(sample_knobs(task), {}), "weighing": {s.name: s.default for s in weighing}}


def described(specs: Mapping[str, Spec], settings: Mapping[str, Any]) -> str:
    """Knobs in words: those set, and the others at their defaults."""
    return ", ".join(f"{name} = {value}" for name, value in _values(specs, settings).items()) or "no knobs"


def _values(specs: Mapping[str, Spec], settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: settings.get(name, spec.default) for name, spec in specs.items() if not isinstance(spec.knob, Label)}


def drawn(task: Task, tag: str, settings: Mapping[str, Any]) -> Pictures:
    """``options.n`` samples of the model, rounded to 8 bits; a conditional model draws its classes in turn.

    Sample i uses the i-th random stream of the fixed seed, whatever the chunks. What has been drawn is kept in the
    options' folder, so that an interrupted command goes on from there.

    Args:
        task: the model.
        tag: a name for the file they are kept in.
        settings: knobs that differ from their defaults.
    """
    specs, n = sample_knobs(task), task.options.n
    by_class = [s.name for s in specs.values() if isinstance(s.knob, Label)]
    classes = len(task.card.labels) if by_class else 1
    order = torch.cat([torch.arange(c, n, classes) for c in range(classes)])  # class after class
    everything = [task.card.sha256, n, SEED, _values(specs, settings)]
    key = hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()
    path = task.options.folder / task.card.name / f"{tag}-{key[:16]}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = np.load(path) if path.exists() else np.zeros((0, *task.model.shape), np.uint8)
    rng = Rng(SEED, n)
    with task.bar(n, f"drawing {tag}") as bar:
        bar.update(len(done))
        while len(done) < n:
            c = int(order[len(done)]) % classes
            index = [i for i in order[len(done) : len(done) + CHUNK].tolist() if i % classes == c]
            chosen = {by_class[0]: task.card.labels[c]} if by_class else {}
            done = np.concatenate([done, _draw(task, rng.pick(index), {**settings, **chosen})])
            buffer = io.BytesIO()
            np.save(buffer, done)
            write_whole(path, buffer.getvalue())
            bar.update(len(index))
    words = f"{n:,} samples ({described(specs, settings)}; sample i from stream i of seed {SEED}"
    words += f"; {n // classes:,} of each class)" if by_class else ")"
    x = torch.empty(done.shape)
    x[order] = torch.as_tensor(done).float() / 255
    return Pictures(x, torch.arange(n) % classes if by_class else None, words)


@torch.no_grad()
def _draw(task: Task, rng: Rng, settings: Mapping[str, Any]) -> np.ndarray:
    assert isinstance(task.model, Samples)
    x = task.model.sample(rng, **settings)
    if not x.isfinite().all():
        raise Refused(f"{task.card.name}: it drew pictures that are not finite numbers.")
    pixels: np.ndarray = x.clamp(0, 1).mul(255).round().byte().numpy()
    return pixels
