"""The few-step student: whom it learns from, what is stored, and a game that is over when it draws as its teacher."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from playground.families.few_step import FewStep
from playground.families.picture_flow import PictureFlow
from playground.families.vae import VAE
from playground.knobs import Refused
from playground.rng import Rng

TINY = {"shape": (1, 8, 8), "classes": 3, "width": 8, "deep": 8, "blocks": 1, "norm_groups": 4}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def teacher(**changes: int) -> PictureFlow:
    """A tiny flow that answers something."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        flow = PictureFlow(**{**TINY, **changes})  # type: ignore[arg-type]
    for parameter in flow.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=seeded(1))
    return flow


def student(flow: PictureFlow | None = None) -> FewStep:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = FewStep.tiny()
    model.learn_from(flow or teacher())
    return model


def batch() -> tuple[Tensor, Tensor]:
    """Class 0 is dark, class 1 bright."""
    return (torch.arange(32)[:, None, None, None] % 2).expand(32, 1, 8, 8) * 0.8, torch.arange(32) % 2


def train(model: FewStep | PictureFlow, steps: int) -> None:
    optimisers = {k: torch.optim.Adam(p, 2e-3, betas=(0.5, 0.99)) for k, p in model.players().items()}
    for step in range(steps):
        for player, optimiser in optimisers.items():
            loss = next(iter(model.loss(*batch(), seeded(step), player).values()))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


def test_it_begins_as_its_teacher_and_leaves_him_alone() -> None:
    flow = teacher()
    before = {k: v.clone() for k, v in flow.state_dict().items()}
    model = student(flow)
    assert torch.equal(model.sample(Rng(0, 3)), flow.sample(Rng(0, 3), steps=1, solver="Euler", guidance_scale=1.0))
    assert not any(p.requires_grad for p in flow.parameters())
    train(model, 2)
    assert all(torch.equal(v, before[k]) for k, v in flow.state_dict().items())
    changed = [k for k, v in model.student.named_parameters() if not torch.equal(v, before[k])]
    assert len(changed) == len(list(model.student.parameters()))


def test_only_the_student_is_stored() -> None:
    model = student()
    assert model.weights() is model.student
    assert all(k.startswith(("student.", "critic.", "judge.")) for k in model.state_dict())


def test_it_refuses_whom_it_cannot_learn_from() -> None:
    with pytest.raises(Refused, match="learns from flow matching on pictures, not from VAE"):
        student().learn_from(VAE.tiny())
    with pytest.raises(Refused, match="the same shape, classes and sizes"):
        student().learn_from(teacher(width=12))


def test_a_guided_teacher_pulls_towards_the_class() -> None:
    flow, x, t = teacher(), torch.randn(6, 1, 8, 8, generator=seeded(3)), torch.full((6,), 0.4)
    label = torch.tensor([0, 1, 2, 3, 3, 0])  # 3 is any: nothing to pull towards
    free, told = flow.velocity(x, t, torch.full_like(label, 3)), flow.velocity(x, t, label)
    guided = flow.guided(x, t, label, 1.4)
    torch.testing.assert_close(guided, free + 1.4 * (told - free))
    torch.testing.assert_close(guided[3:5], free[3:5])
    plain, led = FewStep.tiny(), FewStep(**{**TINY, "guidance": 1.4})
    for model in (plain, led):
        model.learn_from(flow)
    pushes = [model.loss(*batch(), seeded(0), "student")["push"] for model in (plain, led)]
    assert pushes[0] == pytest.approx(0, abs=1e-9)
    assert pushes[1] > 1e-6


def test_where_the_critic_agrees_with_the_teacher_nothing_is_pushed() -> None:
    logged = student().loss(*batch(), seeded(0), "student")
    assert float(logged["push"].detach()) < 1e-10
    other = student()
    for parameter in other.critic.parameters():
        parameter.data += 0.1
    assert float(other.loss(*batch(), seeded(0), "student")["push"].detach()) > 1e-4


def test_the_push_is_away_from_what_the_critic_expects() -> None:
    """With a critic that expects everything brighter than the teacher does, drawings are to become darker."""
    model = student(teacher())
    model.critic.net.answer.bias.data -= 1.0  # type: ignore[union-attr]
    drawn = torch.zeros(4, 1, 8, 8, requires_grad=True)
    t = torch.full((4,), 0.5)
    model._lead(drawn, torch.zeros(4, 1, 8, 8), t, torch.zeros(4, dtype=torch.int64))["loss"].backward()
    assert drawn.grad is not None and float(drawn.grad.max()) < 0  # descent goes up: the critic expects it darker


def test_each_player_moves_alone() -> None:
    model = student()
    for player, own in model.players().items():
        model.zero_grad(set_to_none=True)
        next(iter(model.loss(*batch(), seeded(0), player).values())).backward()
        assert {id(p) for p in model.parameters() if p.grad is not None} == {id(p) for p in own}


def test_it_learns_from_a_teacher_what_classes_look_like() -> None:
    flow = teacher()
    train(flow, 80)
    model = student(flow.eval())
    train(model, 60)
    model.eval()
    for steps in (1, 4):
        dark, bright = (float(model.sample(Rng(0, 16), label=k, steps=steps).mean()) for k in ("0", "1"))
        assert dark < 0.3 and bright > 0.5
