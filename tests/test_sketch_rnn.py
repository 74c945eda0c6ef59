"""The pen's mixture against torch.distributions, and what Sketch-RNN and the pen alone promise of drawings."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from playground.families.pen import Next, Pen, lengths, open_ended, tidied
from playground.families.sketch_rnn import SketchRNN, StrokeRNN
from playground.rng import Rng

M = 4


def nexts(n: int = 3) -> Next:
    """What may come at ``n`` places, from random outputs of a network."""
    return Next.of(torch.randn(n, 6 * M + 3, generator=torch.Generator().manual_seed(1)), 0.02)


def theirs(what: Next) -> MixtureSameFamily:
    """The steps' mixture as torch has it."""
    across, down = what.scale.unbind(-1)
    both = what.tilt * across * down
    covariance = torch.stack([torch.stack([across**2, both], -1), torch.stack([both, down**2], -1)], -2)
    return MixtureSameFamily(Categorical(logits=what.weight), MultivariateNormal(what.mean, covariance))


def drawings(n: int = 3, points: int = 6, seed: int = 2) -> Tensor:
    """Tidy drawings of a few points each."""
    g = torch.Generator().manual_seed(seed)
    return tidied(torch.randn(n, points, 5, generator=g))


@pytest.fixture
def sketch() -> SketchRNN:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SketchRNN.tiny().eval()


@pytest.fixture
def stroke() -> StrokeRNN:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return StrokeRNN.tiny().eval()


def test_the_density_of_a_step_is_torchs() -> None:
    what, x = nexts(), drawings()[:, 0]
    marks = what.mark.gather(1, x[:, 2:].argmax(1, keepdim=True))[:, 0]
    torch.testing.assert_close(what.log_prob(x), theirs(what).log_prob(x[:, :2]) + marks, atol=1e-5, rtol=1e-5)


def test_steps_and_marks_have_probability_one_together() -> None:
    what = Next.of(torch.randn(1, 6 * M + 3, generator=torch.Generator().manual_seed(3)), 0.3)
    side = torch.linspace(-15, 15, 600)
    steps = torch.cartesian_prod(side, side)
    each = [torch.cat([steps, torch.eye(3)[k].expand(len(steps), 3)], 1) for k in range(3)]
    total = sum(float(what.log_prob(x).exp().sum()) for x in each) * float(side[1] - side[0]) ** 2
    assert total == pytest.approx(1, abs=2e-3)


def test_what_is_drawn_has_the_mixtures_mean_and_spread() -> None:
    what, n = nexts(1), 40_000
    many = Next(*(v.expand(n, *v.shape[1:]) for v in vars(what).values()))
    g = torch.Generator().manual_seed(0)
    x = many.draw(torch.rand(n, 2, generator=g), torch.randn(n, 2, generator=g), 1.0)
    torch.testing.assert_close(x[:, :2].mean(0), theirs(what).mean[0], atol=0.05, rtol=0.05)
    torch.testing.assert_close(x[:, :2].var(0), theirs(what).variance[0], atol=0.1, rtol=0.05)
    torch.testing.assert_close(x[:, 2:].mean(0), what.mark[0].exp(), atol=0.01, rtol=0)


def test_a_cold_pen_goes_to_the_likeliest_place() -> None:
    what = nexts()
    x = what.draw(torch.full((3, 2), 0.5), torch.ones(3, 2), 0.0)
    best = what.weight.argmax(1)
    torch.testing.assert_close(x[:, :2], what.mean[torch.arange(3), best])
    assert torch.equal(x[:, 2:].argmax(1), what.mark.argmax(1))


def test_nothing_comes_after_the_end() -> None:
    x = torch.zeros(2, 4, 5)
    x[:, :, 2] = 1
    x[0, 1] = torch.tensor([1.0, 2.0, 0.1, 0.2, 0.7])
    x[0, 2:, :2] = 9
    tidy = tidied(x)
    assert lengths(tidy).tolist() == [2, 4]
    assert tidy[0, 1].tolist() == [1, 2, 0, 0, 1] and not tidy[0, 2:, :2].any()
    assert tidy[1, 3].tolist() == [0, 0, 0, 0, 1]  # room ends, and so does the drawing
    assert torch.equal(tidied(tidy), tidy)


def test_drawing_is_following_ones_own_bets() -> None:
    """The network that steps is the network that reads whole drawings."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pen = Pen(2, 8, M, 0.02).eval()
    rng = Rng(3, 5)
    code, uniform, normal = rng.normal(2), rng.uniform(7, 2), rng.normal(7, 2)
    with torch.no_grad():
        x = pen.draw(code, uniform, normal, 0.8, torch.empty(0, 5))
        read = pen(x, code)
        for i in range(7):
            here = Next(*(v[:, i] for v in vars(read).values())).draw(uniform[:, i], normal[:, i], 0.8)
            on = lengths(x) > i + (i == 6)  # the last point of all is made an end
            torch.testing.assert_close(here[on], x[on, i], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", [SketchRNN, StrokeRNN])
def test_what_is_begun_stays(family: type[SketchRNN | StrokeRNN]) -> None:
    model = family.tiny().eval()
    begun = torch.tensor([[1.0, 0.5, 1, 0, 0], [-0.3, 2.0, 0, 1, 0]])
    x = model.continue_drawing(begun, Rng(0, 4))
    assert x.shape == (4, *model.shape)
    assert torch.equal(x[:, :2], begun.expand(4, 2, 5))
    assert (lengths(tidied(x)) > 2).all()
    assert not torch.equal(x[0], x[1])
    torch.testing.assert_close(model.continue_drawing(begun, Rng(0, 4).pick([2])), x[2:3])
    assert torch.equal(model.continue_drawing(begun[:0], Rng(0, 2)), model.sample(Rng(0, 2)))


def test_a_probability_is_the_mean_over_the_classes(stroke: StrokeRNN) -> None:
    x = drawings()
    each = torch.stack(
        [stroke.pen.log_prob(x, stroke.classes(torch.full((3,), k))).sum(1) for k in range(3)]  # type: ignore[misc]
    )
    torch.testing.assert_close(stroke.log_prob(x, Rng(0, 3)).nats, each.logsumexp(0) - math.log(3))


def test_the_points_add_up_to_the_drawing(stroke: StrokeRNN) -> None:
    x = drawings()
    nats = stroke.point_log_prob(x)
    torch.testing.assert_close(nats.sum(1), stroke.log_prob(x, Rng(0, 3)).nats, atol=1e-5, rtol=1e-5)
    assert all(not nats[i, n:].any() for i, n in enumerate(lengths(x).tolist()))
    begun = x[0, : lengths(x)[0]].clone()
    begun[-1, 2:] = torch.tensor([0.0, 1.0, 0.0])
    before = stroke.point_log_prob(open_ended(begun))[0, : len(begun) - 1]
    torch.testing.assert_close(before, nats[0, : len(begun) - 1])  # what follows changes nothing


def test_the_class_is_told_from_what_is_begun() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = StrokeRNN(shape=(6, 5), labels=("left", "right"), width=8, mixtures=1, code=2).eval()
    with torch.no_grad():  # steps go to where the class says, whatever the network's memory holds
        model.pen.out.weight.zero_()
        model.pen.out.bias.zero_()
        model.classes.weight.copy_(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))  # type: ignore[union-attr]
        model.pen.lstm.weight_ih_l0.zero_()
        model.pen.lstm.weight_ih_l0[16:24, 5] = 9  # the cell's candidate is the class's sign
        model.pen.lstm.weight_hh_l0.zero_()
        model.pen.out.weight[4] = 2.0  # the mean of dx
        begun = torch.tensor([[6.0, 0.0, 1, 0, 0], [6.0, 0.0, 1, 0, 0]])
        x = model.continue_drawing(begun, Rng(0, 20), temperature=0.05)
        assert (x[:, 2, 0] > 0).all()
        x = model.continue_drawing(-begun, Rng(0, 20), temperature=0.05)
        assert (x[:, 2, 0] < 0).all()


def test_reading_does_not_see_the_padding(sketch: SketchRNN) -> None:
    x = drawings(1)
    longer = torch.cat([x, x.new_tensor([0, 0, 0, 0, 1]).expand(1, 9, 5)], 1)
    n = int(lengths(x))
    for one, other in zip(sketch.posterior(x), sketch.posterior(longer), strict=True):
        torch.testing.assert_close(one, other)
    turned = x.clone()
    turned[:, :n, :2] = x[:, :n, :2].flip(1)
    if n > 1:
        assert not torch.allclose(sketch.posterior(x)[0], sketch.posterior(turned)[0])


def test_a_code_that_says_nothing_costs_nothing_and_the_estimate_is_exact(sketch: SketchRNN) -> None:
    with torch.no_grad():
        sketch.summary.weight.zero_()
        sketch.summary.bias.zero_()
        sketch.pen.begin.weight.zero_()  # type: ignore[union-attr]
        sketch.pen.lstm.weight_ih_l0[:, 5:] = 0
    x = drawings()
    exact = sketch.pen.log_prob(x, torch.zeros(3, 2)).sum(1)
    rate, distortion = sketch.rate_distortion(x, Rng(0, 3))
    assert not rate.any()
    torch.testing.assert_close(-distortion, exact)
    for k in (1, 7):
        torch.testing.assert_close(sketch.log_prob(x, Rng(0, 3), importance_samples=k).nats, exact)


def test_more_codes_come_nearer_from_below(sketch: SketchRNN) -> None:
    with torch.no_grad():
        sketch.pen.lstm.weight_ih_l0[:, 5:] *= 5
    x = drawings(20)
    bound = sketch.log_prob(x, Rng(0, 20)).nats.mean()
    many = sketch.log_prob(x, Rng(0, 20), importance_samples=400)
    assert many.kind == "estimate" and float(many.nats.mean()) > float(bound)
    torch.testing.assert_close(
        sketch.log_prob(x[3:4], Rng(0, 20).pick([3]), importance_samples=400).nats, many.nats[3:4]
    )


def test_near_codes_are_drawn_alike(sketch: SketchRNN) -> None:
    z = torch.zeros(2, 2)
    z[1] += 1e-6
    one, other = sketch.decode(z)
    torch.testing.assert_close(one, other, atol=1e-3, rtol=0)
    assert torch.equal(sketch.decode(z[:1])[0], one)


def test_a_few_steps_learn_a_line() -> None:
    """A square drawn again and again soon surprises the pen less than at first."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = StrokeRNN(shape=(4, 5), width=16, mixtures=2, stretch=0.0, dropout=0.0)
    square = torch.tensor([[1.0, 0, 1, 0, 0], [0, 1, 1, 0, 0], [-1, 0, 1, 0, 0], [0, -1, 0, 0, 1]])[None].repeat(
        4, 1, 1
    )
    adam = torch.optim.Adam(model.parameters(), 2e-2)
    losses = []
    for k in range(60):
        loss = model.loss(square, torch.zeros(4), torch.Generator().manual_seed(k), "model")["loss"]
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 2
    drawn = model.sample(Rng(0, 8), temperature=0.05)
    assert float((drawn - square[:1])[..., :2].abs().median()) < 0.3
