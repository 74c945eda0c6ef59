"""Training in slices: the same weights however it is cut, Adam as it is known, back to a kept state, honest trouble."""

from __future__ import annotations

import copy
from typing import Any, ClassVar, final

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import Learns, Model, Samples, Sprints
from playground.lab.learners import learners
from playground.lab.targets import targets
from playground.lab.trainer import EMA, WARM, Trainer, build
from playground.rng import Rng

DATA = torch.from_numpy(targets()["ring"].sample(1000, np.random.default_rng(0)))


@final
class Centre(Sprints, Samples):
    """A point that is pulled to data, with noise: two parameters, by hand."""

    rate: ClassVar[float] = 0.05

    def __init__(self, shape: tuple[int, ...] = (2,)) -> None:
        super().__init__()
        self.shape = shape
        self.at = nn.Parameter(torch.tensor([3.0, -2.0]))
        self.register_buffer("seen", torch.zeros(()))

    @classmethod
    def tiny(cls) -> Self:
        return cls()

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        target = x + torch.randn(x.shape, generator=generator)
        self.seen += 1
        return {"loss": (self.at - target).square().sum(1).mean() / 2}

    @torch.no_grad()
    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        away = self.at - x - torch.randn(x.shape, generator=generator)
        self.seen += 1
        self.at.grad = away.mean(0)
        return away.square().sum(1).mean() / 2

    def sample(self, rng: Rng, **knobs: Any) -> Tensor:
        return self.at + rng.normal(2)


@final
class Slow(Learns):
    """The same, by autograd."""

    rate: ClassVar[float] = 0.05

    def __init__(self) -> None:
        super().__init__()
        self.inner = Centre()

    @classmethod
    def tiny(cls) -> Self:
        return cls()

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        return self.inner.loss(x, label, generator, player)


def weights(model: Model) -> list[Tensor]:
    return [t.detach().clone() for t in [*model.parameters(), *model.buffers()]]


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", learners())
def test_slices_do_not_matter(name: str) -> None:
    """Of every learner, small: 1 + 4 + 7 steps in three calls are 12 in one, bit for bit, shown and own weights."""
    learner = learners()[name]
    small: dict[str, Any] = {"width": 8, "components": 3}
    settings = {k: small.get(k, v) for k, v in {**learner.fixed, **learner.settings}.items()}
    whole, cut = (Trainer(build(learner.model_class(), settings, 5), DATA, 5) for _ in range(2))
    whole.advance_steps(12)
    for steps in (1, 4, 7):
        cut.advance_steps(steps)
        cut.shown()  # looking changes nothing
    assert whole.steps == cut.steps == 12
    assert same(weights(whole.model), weights(cut.model))
    assert same(weights(whole.shown()), weights(cut.shown()))
    assert whole.loss.keys() == cut.loss.keys() and whole.seconds > 0


def test_another_seed_is_another_run() -> None:
    one, other = Trainer(Centre(), DATA, 1), Trainer(Centre(), DATA, 2)
    for trainer in (one, other):
        trainer.advance_steps(5)
    assert not same(weights(one.model), weights(other.model))


def test_the_step_is_adams_and_the_average_an_average() -> None:
    trainer = Trainer(Centre(), DATA, 3)
    model, average = Centre(), Centre().at.detach().clone()
    adam = torch.optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.99))
    generator = torch.Generator()
    reference = Trainer(Slow(), DATA, 3)  # draws the same batches
    for k in range(60):
        trainer.advance_steps(1)
        reference.advance_steps(1)
        generator.manual_seed((3 * 0x9E3779B1 + k) % 2**32)
        x = DATA[torch.randint(len(DATA), (256,), generator=generator)]
        adam.zero_grad()
        model.loss(x, torch.zeros(0), generator, "model")["loss"].backward()
        adam.param_groups[0]["lr"] = 0.05 * min(1.0, (k + 1) / WARM)
        adam.step()
        average.lerp_(model.at.detach(), 1 - min(EMA, (1 + k) / (10 + k)))
        assert torch.allclose(trainer.model.at, model.at, atol=1e-5)
    assert torch.allclose(trainer.shown().at, average, atol=1e-5)
    assert torch.allclose(reference.model.inner.at, trainer.model.at, atol=1e-5)
    assert float(trainer.shown().seen) == 60  # buffers are shown as they are


def test_a_kept_state_is_gone_back_to() -> None:
    trainer = Trainer(Centre(), DATA, 4)
    trainer.advance_steps(20)
    kept, then, shown = trainer.state(), weights(trainer.model), weights(trainer.shown())
    ends = []
    for _ in range(2):
        trainer.advance_steps(15)
        ends.append(weights(trainer.model))
        trainer.restore(kept)
        assert (trainer.steps, trainer.seconds, trainer.loss) == (20, kept.seconds, kept.losses)
        assert same(weights(trainer.model), then) and same(weights(trainer.shown()), shown)
    trainer.advance_steps(15)
    assert same(weights(trainer.model), ends[1])  # from the same state, the same way


def test_a_fit_ends_when_nothing_changes_and_goes_on_when_restored() -> None:
    learner = learners()["ppca"]
    trainer = Trainer(build(learner.model_class(), dict(learner.fixed), 0), DATA, 0)
    start = trainer.state()
    trainer.advance(10.0)
    assert trainer.settled and trainer.steps < 20
    fitted = weights(trainer.model)
    trainer.restore(start)
    assert not trainer.settled and trainer.steps == 0
    trainer.advance(10.0)
    assert same(weights(trainer.model), fitted)


def test_slices_are_as_long_as_asked_and_steps_are_limited() -> None:
    trainer = Trainer(Centre(), DATA, 0)
    trainer.advance(0.05)
    assert 0.05 <= trainer.seconds < 0.2
    before = trainer.steps
    trainer.advance(10.0, 3)
    assert trainer.steps == before + 3
    assert trainer.micros == pytest.approx(1e6 * trainer.seconds / trainer.steps, rel=0.01)


def test_numbers_that_are_no_longer_finite_are_said() -> None:
    trainer = Trainer(Centre(), torch.full((100, 2), 1e30), 0)
    trainer.advance(0.02)
    assert "no longer finite" in trainer.trouble
    steps = trainer.steps
    trainer.advance(0.02)
    assert trainer.steps == steps


def test_players_take_their_turns() -> None:
    learner = learners()["wgan"]
    trainer = Trainer(build(learner.model_class(), {"width": 8}, 0), DATA, 0)
    trainer.advance_steps(2)
    assert set(trainer.loss) == {"critic", "generator"}
    critic = copy.deepcopy(trainer.model.critic)
    trainer.turn("generator")
    assert same(weights(critic), weights(trainer.model.critic))


def test_first_weights_depend_on_the_seed_alone() -> None:
    family = learners()["vae"].model_class()
    state = torch.random.get_rng_state()
    a, b, c = (build(family, {"width": 8}, seed) for seed in (1, 1, 2))
    assert same(weights(a), weights(b)) and not same(weights(a), weights(c))
    assert torch.equal(state, torch.random.get_rng_state())
