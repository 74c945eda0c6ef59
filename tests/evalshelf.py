"""A shelf with a judge and toy models on a toy data set, in a temporary folder: for the tests of the evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, final
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from playground import catalog, data
from playground.capabilities import Density, Fits, LogProb, Model, Refines, Samples, State
from playground.catalog import Card, Metric
from playground.data import Dataset
from playground.evaluation import copying, representation, timing
from playground.evaluation.__main__ import main
from playground.evaluation.parts import Options, Task
from playground.families.classifier import Classifier
from playground.families.vae import VAE
from playground.knobs import Choice, Label, Slider
from playground.rng import Rng

SHAPE = (1, 4, 4)
DIMS = 16
MEAN, STD = 0.5, 0.1


@final
class Normal(Samples, Fits, Density):
    """Independent normal pixels with a known density; class 1 is brighter by one tenth. It remembers what it drew."""

    measure = "8-bit pixels"
    labels = ("0", "1")
    calls = 0

    def __init__(self) -> None:
        super().__init__()
        self.shape = SHAPE
        self.mean = nn.Parameter(torch.tensor(MEAN))

    @classmethod
    def tiny(cls) -> Normal:
        return cls()

    def fit(self, x: Tensor, label: Tensor, generator: torch.Generator) -> Iterator[dict[str, float]]:
        yield {}

    def sample(self, rng: Rng, *, label: Annotated[str, Label()] = "any") -> Tensor:
        type(self).calls += len(rng)
        return self.mean + 0.1 * (label == "1") + STD * rng.normal(*self.shape)

    def log_prob(self, x: Tensor, rng: Rng) -> LogProb:
        x = (x * 255 + rng.uniform(*self.shape)) / 256
        density = torch.distributions.Normal(self.mean, STD, validate_args=False).log_prob(x).flatten(1).sum(1)
        return LogProb(density - DIMS * math.log(256), "exact", "8-bit pixels")


@final
class Stepper(Refines):
    """Draws in steps with either of two samplers; the ancestral one leaves noise."""

    def __init__(self) -> None:
        super().__init__()
        self.shape = SHAPE
        self.mean = nn.Parameter(torch.tensor(MEAN))

    @classmethod
    def tiny(cls) -> Stepper:
        return cls()

    def refine(
        self,
        rng: Rng,
        *,
        steps: Annotated[int, Slider(1, 50)] = 4,
        sampler: Annotated[str, Choice("DDIM", "DDPM")] = "DDIM",
        guidance_scale: Annotated[float, Slider(0.0, 5.0, 0.1)] = 2.0,
    ) -> Iterator[State]:
        x = self.mean + STD * rng.normal(*self.shape)
        noise = 0.3 * rng.normal(*self.shape) if sampler == "DDPM" else 0.0
        for step in range(steps):
            yield State(x + noise + (guidance_scale - 1), step + 1, steps)


def read(split: str) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng({"train": 0, "valid": 1, "test": 2}[split])
    label = random.integers(2, size=300)
    x = random.normal(MEAN + 0.1 * label[:, None, None, None], STD, (300, *SHAPE))
    return (x.clip(0, 1) * 255).round().astype(np.uint8), label


TOY = Dataset("toy", "Toy", "noise", SHAPE, ("0", "1"), "none", read, lambda split: "here", lambda: read("test"))


@contextmanager
def toys(folder: Path) -> Iterator[Path]:
    """A shelf with a judge, a normal, a stepper and a VAE on toy data, in ``folder``; everything is put back later."""
    known: dict[str, type[Model]] = {f"toys.{m.__name__}": m for m in (Normal, Stepper, VAE)}
    known["classifier.Classifier"] = Classifier
    with (
        mock.patch.dict("os.environ", PLAYGROUND_PRETRAINED=str(folder / "pretrained")),
        mock.patch.object(catalog, "families", lambda: known),
        mock.patch.object(data, "datasets", lambda: {"toy": TOY}),
        mock.patch.object(timing, "SECONDS", 0.0),
        mock.patch.object(representation, "FEW", 60),
        mock.patch.object(copying, "LEAST", 100),
        torch.random.fork_rng(),
    ):
        catalog.load.cache_clear()
        copying.usual.cache_clear()
        torch.manual_seed(0)
        put("judge", Classifier(SHAPE, 2, 2, 8), {"shape": list(SHAPE), "classes": 2, "width": 2, "features": 8})
        put("normal", Normal(), {})
        put("stepper", Stepper(), {})
        vae = {"shape": list(SHAPE), "latent": 2, "width": 16, "depth": 1, "warmup": 0}
        put("vae", VAE(SHAPE, 2, 16, 1, 0), vae)
        yield folder
        catalog.load.cache_clear()
        copying.usual.cache_clear()


def put(name: str, model: Model, init: dict[str, Any]) -> None:
    kind = type(model).__name__
    trained = {"device": "CPU", "seconds": 0, "steps": 0}
    family = "classifier" if kind == "Classifier" else "toys"
    card = Card(name, family, kind, init, "toy", model.labels, name, 0, "", 1, trained)
    catalog.save(model, card)


def task_of(name: str, folder: Path, **options: Any) -> Task:
    return Task(catalog.cards()[name], catalog.load(name), Options(folder=folder, quiet=True, **options))


def command(folder: Path, *arguments: str) -> int:
    return main([*arguments, "--quiet", "--runs", str(folder / "runs")])


def metrics_of(name: str) -> dict[str, Metric]:
    return catalog.cards()[name].metrics
