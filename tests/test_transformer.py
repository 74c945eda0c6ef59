"""The transformer over pictures: its probabilities sum to one, for any class, and samples follow them."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from playground.families.transformer import Transformer
from playground.rng import Rng


def lively(shape: tuple[int, int, int] = (1, 8, 8), patch: int = 2) -> Transformer:
    """A tiny instance with weights large enough that its odds differ from place to place."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Transformer(shape, classes=3, patch=patch, width=8, depth=2, heads=2)
        for p in model.parameters():
            p.data += 0.3 * torch.randn(p.shape)
    return model.requires_grad_(False).eval()


def everything(height: int, width: int) -> Tensor:
    """All black-and-white pictures of a size."""
    bits = torch.arange(2 ** (height * width)).unsqueeze(1) >> torch.arange(height * width) & 1
    return bits.double().view(-1, 1, height, width)


@pytest.mark.parametrize("height, width, patch, label", [(4, 4, 2, "any"), (2, 4, 1, "any"), (2, 4, 1, "2")])
def test_probabilities_of_all_pictures_sum_to_one(height: int, width: int, patch: int, label: str) -> None:
    model, x = lively((1, height, width), patch).double(), everything(height, width)
    chunks = [model.log_prob(part, Rng(0, len(part)), label=label) for part in x.split(8192)]
    nats = torch.cat([c.nats for c in chunks])
    assert chunks[0].kind == "exact" and chunks[0].measure == "binary pixels"
    torch.testing.assert_close(nats.exp().sum(), torch.tensor(1.0, dtype=torch.float64))
    assert nats.std() > 0.1


def test_coarse_greys_are_spread_evenly_over_the_eight_bit_ones() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Transformer((1, 2, 2), classes=2, levels=4, width=8, depth=1, heads=2).requires_grad_(False).double()
    every = model.patches.pixels(torch.arange(256).view(256, 1, 1)).double()
    stated = model.log_prob(every, Rng(0, 256), label="1")
    assert stated.measure == "8-bit pixels"
    torch.testing.assert_close((stated.nats.exp() * 64.0**4).sum(), torch.tensor(1.0, dtype=torch.float64))
    torch.testing.assert_close(model.surprise(every).sum((1, 2)), -model.log_prob(every, Rng(0, 256)).nats)
    torch.testing.assert_close(model.log_prob(every - 0.01 * (every > 0), Rng(0, 256), label="1").nats, stated.nats)


def test_surprise_at_a_pixel_is_that_of_its_value_given_the_pixels_before() -> None:
    """By brute force: the probability of a beginning is that of all pictures which begin so."""
    model, x = lively((1, 4, 2)).double(), everything(4, 2)
    nats, one = model.log_prob(x, Rng(0, len(x))).nats, x[101]
    order = [(r + i, j) for r in (0, 2) for i in (0, 1) for j in (0, 1)]
    surprise, agree, before = model.surprise(one[None])[0], torch.ones(len(x), dtype=torch.bool), nats.logsumexp(0)
    for row, column in order:
        agree &= x[:, 0, row, column] == one[0, row, column]
        known = nats[agree].logsumexp(0)
        torch.testing.assert_close(surprise[row, column], before - known)
        before = known


def test_a_class_has_odds_of_its_own() -> None:
    model, x = lively(), torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    told = torch.stack([model.log_prob(x, Rng(0, 3), label=label).nats for label in ("any", "0", "1", "2")])
    assert (told[1:] - told[:-1]).abs().min() > 1e-3
    torch.testing.assert_close(told[0], model.log_prob(x, Rng(0, 3)).nats)


def test_log_prob_cuts_at_one_half() -> None:
    model, x = lively(), torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(model.log_prob(x, Rng(0, 3)).nats, model.log_prob((x >= 0.5).float(), Rng(1, 3)).nats)


@pytest.mark.parametrize("label", ["any", "1"])
@pytest.mark.parametrize("temperature", [0.5, 1.5])
def test_the_memory_changes_nothing(temperature: float, label: str) -> None:
    model = lively()
    fast = model.sample(Rng(17, 6), label=label, temperature=temperature)
    assert torch.equal(fast, model.sample_naively(Rng(17, 6), label, temperature))
    assert 0 < fast.mean() < 1


def test_a_sample_does_not_depend_on_its_batch() -> None:
    model = lively()
    assert torch.equal(model.sample(Rng(17, 1)), model.sample(Rng(17, 7))[:1])
    assert not torch.equal(model.sample(Rng(17, 7), label="0"), model.sample(Rng(17, 7), label="1"))


def test_rows_appear_one_by_one_over_grey() -> None:
    states = list(lively().refine(Rng(0, 2)))
    assert [s.label for s in states] == [f"row {row} of 4" for row in (1, 2, 3, 4)]
    for before, after in itertools.pairwise(states):
        rows = 2 * before.done
        assert torch.equal(before.x[:, :, :rows], after.x[:, :, :rows])
        assert (before.x[:, :, rows:] == 0.5).all()
    assert set(states[-1].x.unique().tolist()) == {0.0, 1.0}


def test_samples_follow_the_stated_probabilities() -> None:
    model = lively((1, 2, 2))
    for label in ("any", "2"):
        x = model.sample(Rng(0, 4000), label=label)
        seen = torch.bincount(model.patches.tokens(x).flatten(), minlength=16) / 4000
        every = model.patches.pixels(torch.arange(16).view(16, 1, 1))
        stated = model.log_prob(every, Rng(0, 16), label=label).nats.exp()
        torch.testing.assert_close(seen, stated, atol=0.03, rtol=0)


def test_the_loss_is_the_average_over_told_and_untold_classes() -> None:
    model, x = lively(), torch.ones(4000, 1, 8, 8)
    label = torch.full((4000,), 1)
    told, untold = (-model.log_prob(x[:1], Rng(0, 1), label=which).nats for which in ("1", "any"))
    loss = model.loss(x, label, torch.Generator().manual_seed(0), "model")["nats"]
    assert float(loss) == pytest.approx(float(told + untold) / 2, abs=0.05 * float((told - untold).abs()))


def test_training_lowers_the_loss_and_learns_the_classes() -> None:
    """Class 0 is black and class 1 white: told, nothing is left to guess; untold, one bit, more or less."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Transformer((1, 4, 4), classes=2, width=16, depth=1, heads=2)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    label = torch.arange(32) % 2
    x = label.float().view(-1, 1, 1, 1).expand(-1, 1, 4, 4)
    for step in range(120):
        loss = model.loss(x, label, torch.Generator().manual_seed(step), "model")["nats"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.requires_grad_(False)
    two, rng = x[:2], Rng(0, 2)
    told = [-model.log_prob(two, rng, label=which).nats for which in ("0", "1")]
    assert float(told[0][0]) < 0.1 and float(told[1][1]) < 0.1
    assert float(told[0][1]) > 2 and float(told[1][0]) > 2
    untold = -model.log_prob(two, rng).nats
    assert float(untold.min()) > 0.2 and float(untold.max()) < 1.5
    assert float(model.sample(Rng(0, 16), label="1").mean()) > 0.8
