"""Training: a run that was killed, stopped or told to end, and went on later, ends as one that ran through."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor

from playground import catalog
from playground import train as training
from playground.backends.shelf import shelf as on_shelf
from playground.capabilities import Fits, Learns, Model
from playground.catalog import Metric, Unusable
from playground.data import datasets
from playground.families.gan import GAN
from playground.families.picture_flow import PictureFlow
from playground.families.vae import VAE
from playground.outcome import sample_sheet
from playground.recipes import Recipe
from playground.train import Run, hide, main, schedule, train

HERE = Path(__file__).parent
DRAWING = {n: f for n, f in catalog.families().items() if len(f.tiny().shape) == 3}  # points are trained in races
FAMILIES = {n: f for n, f in DRAWING.items() if issubclass(f, (Learns, Fits))}
STEPS = 80  # of the runs that are killed


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty shelf, and ``tmp_path`` to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAYGROUND_PRETRAINED", str(tmp_path / "pretrained"))
    return tmp_path / "pretrained"


def small(**changes: object) -> Recipe:
    """A VAE on the digits that come with scikit-learn: milliseconds a step."""
    model = partial(VAE, shape=(1, 8, 8), latent=2, width=16, depth=1, warmup=3)
    settings = {"name": "tried", "model": model, "data": "digits", "steps": 4, "batch": 8, "warmup": 2, "ema": 0.9}
    return Recipe(**{**settings, **changes})  # type: ignore[arg-type]


def game() -> Recipe:
    """Two players, two optimisers, running statistics and power iterations: much that could get lost."""
    return small(model=partial(GAN, shape=(1, 8, 8), latent=3, width=4), steps=STEPS, clip=10.0)


def checkpoint(folder: Path) -> dict[str, Tensor]:
    """Weights, averages and optimisers' moments of a run."""
    return safetensors.torch.load_file(folder / "checkpoint.safetensors")


def steps_done(folder: Path) -> int:
    with safe_open(folder / "checkpoint.safetensors", "pt") as file:
        return int(json.loads(file.metadata()["note"])["step"])


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    """Bit for bit."""
    assert one.keys() == other.keys()
    assert [k for k, v in one.items() if not torch.equal(v, other[k])] == []


def run_main(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """The command line, with the recipe ``tried``."""
    monkeypatch.setattr(training, "recipes", lambda: {"tried": small()})
    monkeypatch.setattr(sys, "argv", ["train", *words, "--device", "cpu"])
    main()


def pictures_for(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ``noise`` a data set of the model's shape and labels."""
    g = torch.Generator().manual_seed(0)
    x = torch.randint(256, (40, *model.shape), generator=g, dtype=torch.uint8).numpy()
    y = torch.randint(max(1, len(model.labels)), (40,), generator=g).numpy()
    labels = tuple(f"class {i}" for i in range(len(model.labels)))
    data = replace(datasets()["digits"], name="noise", shape=model.shape, labels=labels, read=lambda split: (x, y))
    monkeypatch.setattr(training, "datasets", lambda: {"noise": data})


def test_few_labels_are_even_and_the_rest_are_hidden() -> None:
    labels = np.arange(1000) % 10
    hidden = hide(labels, 50, seed=3)
    told = hidden >= 0
    assert np.bincount(hidden[told]).tolist() == [5] * 10
    assert (hidden[told] == labels[told]).all() and (hidden[~told] == -1).all()
    assert (hidden == hide(labels, 50, seed=3)).all() and (hidden != hide(labels, 50, seed=4)).any()
    for labelled in (0, 55, 2000):
        with pytest.raises(ValueError, match="cannot be drawn evenly from 10 classes"):
            hide(labels, labelled, seed=0)


@dataclass
class Listener:
    """Notes which labels every batch of a run holds."""

    seen: list[Tensor]

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        self.seen.append(label)
        return {"loss": torch.zeros((), requires_grad=True)}


def test_half_of_every_batch_has_a_label(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(small(labelled=10), "cpu", Path("runs/tried"))
    images, labels = run.data.load("train")
    listener = Listener([])
    monkeypatch.setattr(run.model, "loss", listener.loss)
    for _ in range(3):
        run.advance(torch.as_tensor(images), torch.as_tensor(hide(labels, 10, seed=0)))
    assert [int((seen >= 0).sum()) >= 4 for seen in listener.seen] == [True] * 3
    assert all(len(seen) == 8 for seen in listener.seen)


@pytest.mark.parametrize("name", FAMILIES)
def test_stopped_after_every_step_each_family_ends_in_the_same_weights(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = FAMILIES[name]
    pictures_for(family.tiny(), monkeypatch)
    recipe = small(model=family.tiny, data="noise")
    assert train(recipe, folder=tmp_path / "whole", quiet=True)
    stops = 0
    while not train(recipe, minutes=0, folder=tmp_path / "parts", quiet=True):
        stops += 1
        assert steps_done(tmp_path / "parts") == stops
    assert stops == recipe.steps - 1
    assert_same(checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "parts"))


def train_slowly(folder: str) -> None:
    """What a process does that is going to be killed: every step takes a while, and all are saved."""
    advance = Run.advance

    def slow(self: Run, x: Tensor, y: Tensor) -> dict[str, float]:
        time.sleep(0.03)
        return advance(self, x, y)

    Run.advance = slow  # type: ignore[method-assign]
    sys.exit(0 if train(game(), folder=Path(folder), save_every=0, quiet=True) else 3)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 3)])
def test_ended_at_a_random_moment_a_run_goes_on_without_loss(number: int, code: int, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    paths = os.pathsep.join([str(HERE), str(HERE.parent)])
    command = [sys.executable, "-c", f"import test_train; test_train.train_slowly({str(folder)!r})"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths}) as process:
        while not (folder / "checkpoint.safetensors").exists():
            assert process.poll() is None, "it ended before it was told to"
            time.sleep(0.01)
        time.sleep(random.uniform(0, 1))
        process.send_signal(number)
        assert process.wait(30) == code
    assert 0 < steps_done(folder) < STEPS
    assert train(game(), folder=folder, quiet=True)
    assert train(game(), folder=tmp_path / "whole", quiet=True)
    assert_same(checkpoint(tmp_path / "whole"), checkpoint(folder))


def test_a_finished_run_is_on_the_shelf(tmp_path: Path, shelf: Path) -> None:
    assert train(small(), folder=tmp_path / "run", quiet=True)
    assert {p.name for p in (shelf / "tried").iterdir()} == {"card.json", "model.safetensors", "samples.png", "log.csv"}
    card = catalog.cards()["tried"]
    assert card.init == {"shape": [1, 8, 8], "latent": 2, "width": 16, "depth": 1, "warmup": 3}
    assert (card.family, card.model, card.data, card.trained["steps"]) == ("vae", "VAE", "digits", 4)
    assert "CC BY 4.0" in card.licence
    with Image.open(shelf / "tried" / "samples.png") as image:
        assert image.size == (8 * 8 * 2, 8 * 8 * 2)
    rows = list(csv.DictReader((shelf / "tried" / "log.csv").read_text().splitlines()))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    assert all(torch.tensor(float(v)).isfinite() for row in rows for v in row.values())


def test_the_classes_of_a_model_are_named_as_those_of_its_data(
    tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures_for(PictureFlow.tiny(), monkeypatch)
    assert train(small(model=PictureFlow.tiny, data="noise"), folder=tmp_path / "run", quiet=True)
    assert catalog.cards()["tried"].labels == ("class 0", "class 1", "class 2")


def test_a_card_says_how_many_labels_there_were(tmp_path: Path, shelf: Path) -> None:
    assert train(small(labelled=50), folder=tmp_path / "some", quiet=True)
    assert catalog.cards()["tried"].trained["labelled"] == 50
    assert train(small(name="told"), folder=tmp_path / "all", quiet=True)
    assert "labelled" not in catalog.cards()["told"].trained
    titles = {entry.title for entry in on_shelf().entries.values()}
    assert titles == {f"Variational autoencoder · labelled {n}" for n in ("50", "all")}


def test_a_run_begins_with_another_models_weights_and_looks_at_its_own_data(
    tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = partial(PictureFlow, shape=(1, 8, 8), classes=3, width=8, deep=8, blocks=1, norm_groups=4)
    pictures_for(tiny(), monkeypatch)
    assert train(small(name="elder", model=tiny, data="noise"), folder=tmp_path / "elder", quiet=True)
    elder = catalog.load("elder")
    run = Run(small(model=tiny, data="noise", begins="elder"), "cpu", tmp_path / "run")
    assert all(torch.equal(p, q) for p, q in zip(run.model.parameters(), elder.parameters(), strict=True))
    assert elder.get_buffer("greys.seen") > 0.9  # an average
    assert run.model.get_buffer("greys.seen") == 0
    assert train(run.recipe, folder=tmp_path / "run", quiet=True)
    assert catalog.cards()["tried"].trained["begins"] == "elder"


@pytest.mark.parametrize("ema", [0.0, 0.15, 0.9])
def test_what_is_stored_is_the_moving_average(ema: float, tmp_path: Path, shelf: Path) -> None:
    run = Run(small(ema=ema), "cpu", tmp_path)
    x, y = (torch.as_tensor(a) for a in run.data.load("train"))
    average = {k: v.clone() for k, v in run.model.named_parameters()}
    for step in range(1, 5):
        run.advance(x, y)
        decay = min(ema, (1 + step) / (10 + step))
        average = {k: decay * average[k] + (1 - decay) * v.detach() for k, v in run.model.named_parameters()}
    run.publish()
    stored = safetensors.torch.load_file(shelf / "tried" / "model.safetensors")
    for name, value in average.items():
        torch.testing.assert_close(stored[name], value)
    same = all(torch.equal(stored[k], v) for k, v in run.model.named_parameters())
    assert same == (ema == 0)


def test_drawing_the_sheet_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    run = Run(game(), "cpu", tmp_path)
    before = {k: v.clone() for k, v in run.average.state_dict().items()}
    first, second = (sample_sheet(run.average) for _ in range(2))  # type: ignore[arg-type]
    assert first == second
    assert_same(before, run.average.state_dict())


def test_signals_mean_after_training_what_they_meant_before(tmp_path: Path) -> None:
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    train(small(), minutes=0, folder=tmp_path, quiet=True)
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_finished_recipe_run_again_keeps_what_was_measured(tmp_path: Path) -> None:
    train(small(), folder=tmp_path, quiet=True)
    card = catalog.cards()["tried"]
    measured = replace(card, metrics={"nll": Metric(1.0, None, 5, "exact", "test", "as in this test")}, commit="abc")
    catalog.save_card(measured)
    train(small(), folder=tmp_path, quiet=True)
    assert catalog.cards()["tried"] == measured
    train(small(seed=1), folder=tmp_path / "other", quiet=True)
    assert catalog.cards()["tried"].metrics == {}


def test_every_seed_is_another_run(tmp_path: Path) -> None:
    seeds = (0, 1, 2, 4096, 2**31 - 1)
    runs = [Run(small(seed=seed), "cpu", tmp_path / str(seed)) for seed in seeds]
    draws = {(step, float(torch.rand((), generator=run.generator(step)))) for run in runs for step in (0, 1)}
    assert len(draws) == 2 * len(seeds)
    assert len({float(next(run.model.parameters()).detach().sum()) for run in runs}) == len(seeds)


SPOIL: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda data: data[:-100],
    "a stub": lambda data: data[:5],
    "empty": lambda data: b"",
    "no safetensors": lambda data: b"once upon a time" * 100,
    "no note": lambda data: safetensors.torch.save({"model.x": torch.zeros(1)}),
    "no weights": lambda data: safetensors.torch.save(
        {"model.x": torch.zeros(1)}, {"note": '{"step": 1, "seconds": 1, "rows": []}'}
    ),
    "a broken note": lambda data: safetensors.torch.save(safetensors.torch.load(data), {"note": "{"}),
}


@pytest.mark.parametrize("spoil", SPOIL.values(), ids=SPOIL.keys())
def test_a_spoilt_checkpoint_is_refused_in_one_sentence(
    spoil: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "runs" / "tried" / "checkpoint.safetensors"
    train(small(), minutes=0, folder=path.parent, quiet=True)
    data = spoil(path.read_bytes())
    path.write_bytes(data)
    with pytest.raises(SystemExit) as ended:
        run_main(monkeypatch, "tried")
    said = str(ended.value.code)
    assert str(Path("runs", "tried", "checkpoint.safetensors")) in said
    assert said.endswith("delete it, or begin anew with --fresh.") and "\n" not in said
    assert path.read_bytes() == data
    run_main(monkeypatch, "tried", "--fresh")
    assert steps_done(path.parent) == 4


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    train(small(), minutes=0, folder=tmp_path, quiet=True)
    with pytest.raises(Unusable, match="--fresh"):
        train(game(), folder=tmp_path, quiet=True)


def test_a_gradient_that_is_not_finite_stops_the_run_and_keeps_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = VAE.loss

    def broken(self: VAE, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        losses = honest(self, x, label, generator, player)
        return {k: v * (torch.nan if self.seen > 2 else 1) for k, v in losses.items()}

    with monkeypatch.context() as patch:
        patch.setattr(VAE, "loss", broken)
        with pytest.raises(FloatingPointError, match="tried: the gradient is not finite at step 2"):
            train(small(), folder=tmp_path / "run", save_every=0, quiet=True)
    assert steps_done(tmp_path / "run") == 2
    assert train(small(), folder=tmp_path / "run", quiet=True)
    assert train(small(), folder=tmp_path / "whole", quiet=True)
    assert_same(checkpoint(tmp_path / "run"), checkpoint(tmp_path / "whole"))


def test_an_unknown_name_is_answered_with_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["tired"], []):
        with pytest.raises(SystemExit) as ended:
            run_main(monkeypatch, *words)
        said = capsys.readouterr().err
        assert ended.value.code == 2 and "name one of tried" in said and all(f"not {w}" in said for w in words)


def test_the_queue_holds_the_recipes_for_a_gpu_with_the_best_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = {"small": ("cpu", 9.0), "good": ("cuda", 1.0), "best": ("cuda", 2.0), "late": ("cuda", 0.5)}
    known = {name: small(name=name, device=device, value=value) for name, (device, value) in table.items()}
    trained: list[str] = []

    def pretend(recipe: Recipe, device: str, minutes: float, folder: Path) -> bool:
        trained.append(recipe.name)
        assert folder == Path("runs", recipe.name) and minutes <= 28
        return recipe.name != "good"  # its time runs out

    monkeypatch.setattr(training, "recipes", lambda: known)
    monkeypatch.setattr(training, "train", pretend)
    monkeypatch.setattr(sys, "argv", ["train", "small", "--queue", "--minutes", "28"])
    main()
    assert trained == ["small", "best", "good"]
    assert "good: not finished; the same command goes on with it." in capsys.readouterr().out


def test_the_learning_rate_rises_in_a_line_and_falls_in_a_cosine() -> None:
    factors = [schedule(step, 110, 10) for step in range(111)]
    assert factors[:10] == pytest.approx([0.1 * (k + 1) for k in range(10)])
    assert (factors[10], factors[60], factors[110]) == pytest.approx((1, 0.5, 0))
    assert factors[10:] == sorted(factors[10:], reverse=True)
