"""The VQ-VAE: its bound against the sum over all grids of symbols, its codebook, its gradient, and its freezing."""

from __future__ import annotations

import itertools
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from playground.families.vqvae import COMMITMENT, DECAY, VQVAE, Codebook
from playground.recipes import Recipe
from playground.rng import Rng
from playground.train import Run


def lively(codes: int = 3) -> VQVAE:
    """A tiny instance, two symbols a picture, with weights large enough that all its codes are used."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = VQVAE((1, 4, 8), 2, codes, size=4, channels=8, layers=1, width=8, depth=1, heads=2)
        for p in model.parameters():
            p.data += 0.3 * torch.randn(p.shape)
    z = answers(model, pictures(50)).flatten(0, 2)
    place(model.codebook, z[:: len(z) // codes][:codes])
    return model.requires_grad_(False).eval()


def answers(model: VQVAE, x: Tensor) -> Tensor:
    """The encoder's, (n, H, W, size): each with mean 0 and variance 1."""
    z = model.encoder(2 * x - 1).permute(0, 2, 3, 1)
    return (z - z.mean(-1, keepdim=True)) / (z.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()


def place(book: Codebook, vectors: Tensor) -> None:
    """Codes at the given places, as if each had just been chosen once a batch."""
    book.sums.copy_(vectors)
    book.counts.fill_(1.0)


def pictures(n: int) -> Tensor:
    """Random black-and-white pictures."""
    return torch.rand(n, 1, 4, 8, generator=torch.Generator().manual_seed(0)).round()


def grids(codes: int = 3) -> Tensor:
    """All pairs of symbols."""
    return torch.tensor(list(itertools.product(range(codes), repeat=2))).view(-1, 1, 2)


@pytest.mark.parametrize("label, index", [("any", 2), ("1", 1)])
def test_the_bound_is_one_term_of_the_sum_over_all_symbols(label: str, index: int) -> None:
    """p(x) = sum over symbols of p(symbols) p(x | symbols); the prior's own sum is one."""
    model, x = lively().double(), pictures(20).double()
    prior = -model.prior.nats(grids(), torch.full((9,), index))
    torch.testing.assert_close(prior.exp().sum(), torch.tensor(1.0, dtype=torch.float64))
    logits = model.logits(model.codebook.vectors()[grids()])[None]  # (1, 9, 1, 4, 8)
    likelihood = (x[:, None] * F.logsigmoid(logits) + (1 - x[:, None]) * F.logsigmoid(-logits)).sum((2, 3, 4))
    joint = likelihood + prior  # (n, 9)
    bound = model.log_prob(x, Rng(0, 20), label=label)
    assert bound.kind == "lower bound" and bound.measure == "binary pixels"
    assert (bound.nats < joint.logsumexp(1)).all()
    chosen = (model.codes(x).flatten(1) * torch.tensor([3, 1])).sum(1)
    assert len(chosen.unique()) > 2
    torch.testing.assert_close(bound.nats, joint[torch.arange(20), chosen])


def test_probabilities_of_all_parts_of_a_picture_sum_to_one() -> None:
    """Of the upper row's 256 values, under the sum over all symbols."""
    model = lively().double()
    prior = -model.prior.nats(grids(), torch.full((9,), 2))
    logits = model.logits(model.codebook.vectors()[grids()])[None, :, 0, 0]  # (1, 9, 8)
    x = (torch.arange(256)[:, None] >> torch.arange(8) & 1).double()[:, None]  # (256, 1, 8)
    rows = (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(2)
    torch.testing.assert_close((rows + prior).logsumexp((0, 1)), torch.tensor(0.0, dtype=torch.float64))


def test_rate_and_distortion_make_the_bound() -> None:
    model, x = lively(), torch.rand(6, 1, 4, 8, generator=torch.Generator().manual_seed(3))
    rate, distortion = model.rate_distortion(x, Rng(0, 6))
    bound = model.log_prob(x, Rng(1, 6)).nats
    torch.testing.assert_close(bound, -rate - distortion)
    torch.testing.assert_close(bound, model.log_prob((x > 0.5).float(), Rng(1, 6)).nats)


def test_a_picture_is_encoded_to_the_nearest_vectors() -> None:
    model, x = lively(), pictures(7)
    distances = torch.cdist(answers(model, x).flatten(0, 2), model.codebook.vectors())
    assert torch.equal(model.codes(x).flatten(), distances.argmin(1))
    code = model.encode(x)
    assert torch.equal(code.permute(0, 2, 3, 1).flatten(0, 2), model.codebook.vectors()[distances.argmin(1)])
    assert torch.equal(model.decode(code), model.decode(code + 1e-4)), "vectors are made symbols before decoding"


def test_the_gradient_passes_straight_through() -> None:
    """To the encoder's answer z: the decoder's gradient at the code e, plus the commitment's, 2 beta (z - e)."""
    model, x = lively().train(), pictures(5)
    before, heard = model.codebook.vectors(), []
    model.encoder.register_forward_hook(lambda _module, _inputs, z: heard.append(z.requires_grad_()))
    loss = model.loss(x, torch.zeros(5), torch.Generator().manual_seed(0), "autoencoder")["loss"]
    (gradient,) = torch.autograd.grad(loss, heard[0])
    z = answers(model, x)
    code = before[(z.unsqueeze(-2) - before).norm(dim=-1).argmin(-1)].requires_grad_()
    distortion = F.binary_cross_entropy_with_logits(model.logits(code), x, reduction="none").sum() / 5
    (at_code,) = torch.autograd.grad(distortion, code)
    (expected,) = torch.autograd.grad(z, heard[-1], at_code + COMMITMENT * 2 * (z - code).detach() / 5)
    torch.testing.assert_close(gradient, expected)
    assert not torch.equal(model.codebook.vectors(), before), "the codebook learns without a gradient"


def test_the_codebook_becomes_the_means_of_what_chose_its_codes() -> None:
    book, g = Codebook(3, 2), torch.Generator().manual_seed(0)
    centres = torch.tensor([[3.0, 0.0], [-3.0, 1.0], [0.0, 4.0]])
    place(book, centres + 0.5)
    for _ in range(800):
        z = centres.repeat(20, 1) + 0.1 * torch.randn(60, 2, generator=g)
        book.update(z, book.nearest(z), g)
    torch.testing.assert_close(book.vectors(), centres, atol=0.03, rtol=0)
    torch.testing.assert_close(book.counts, torch.full((3,), 20.0), atol=0.1, rtol=0)


def test_one_update_is_the_papers() -> None:
    """N <- g N + (1 - g) n and m <- g m + (1 - g) sum z, appendix A.1; a code that nobody chose keeps its place."""
    book = Codebook(2, 2)
    place(book, torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    z = torch.tensor([[2.0, 0.0], [4.0, 0.0]])
    book.update(z, book.nearest(z), torch.Generator().manual_seed(0))
    torch.testing.assert_close(book.counts, torch.tensor([DECAY + (1 - DECAY) * 2, DECAY]))
    torch.testing.assert_close(book.sums[0], torch.tensor([DECAY + (1 - DECAY) * 6, 0.0]))
    torch.testing.assert_close(book.vectors()[1], torch.tensor([0.0, 1.0]))


def test_dead_codes_come_back_to_life() -> None:
    book, g = Codebook(8, 2), torch.Generator().manual_seed(0)
    place(book, torch.tensor([[0.0, 0.0]] + [[100.0, 100.0]] * 7))
    for _ in range(1000):
        z = torch.randn(64, 2, generator=g)
        book.update(z, book.nearest(z), g)
    used = torch.bincount(book.nearest(torch.randn(2000, 2, generator=g)), minlength=8)
    assert (used > 40).all()


def recipe(freeze: int, steps: int) -> Recipe:
    model = partial(
        VQVAE, shape=(1, 8, 8), codes=8, size=4, channels=8, layers=1, width=8, depth=1, heads=2, freeze=freeze
    )
    return Recipe(name="tried", model=model, data="digits", steps=steps, batch=32, lr=3e-3, warmup=10, ema=0.9)


def trained(folder: Path, freeze: int, steps: int) -> tuple[Run, Tensor]:
    """A run of the one training loop on scikit-learn's digits, and some of them, black and white."""
    run = Run(recipe(freeze, steps), "cpu", folder)
    images, labels = run.data.load("train")
    x, y = torch.as_tensor(images), torch.as_tensor(labels)
    for _ in range(steps):
        run.advance(x, y)
    return run, (x[:200] > 127).float()


def test_the_averaged_codebook_fits_the_averaged_encoder(tmp_path: Path) -> None:
    """While both still move, the average's codes lie among the average's encodings as the present ones do."""
    run, x = trained(tmp_path, freeze=10**6, steps=100)
    run.model.requires_grad_(False)
    lost = {}
    for name, model in (("present", run.model.eval()), ("average", run.average)):
        lost[name] = float((answers(model, x) - model.encode(x).permute(0, 2, 3, 1)).square().mean())
    assert lost["average"] < 1.2 * lost["present"] + 0.02
    nats = {k: float(m.rate_distortion(x, Rng(0, 200))[1].mean()) for k, m in [("p", run.model), ("a", run.average)]}
    assert nats["a"] < 1.05 * nats["p"]
    assert len(run.average.codes(x).unique()) > 4


def test_frozen_the_autoencoder_holds_still_while_the_prior_learns(tmp_path: Path) -> None:
    run, x = trained(tmp_path, freeze=30, steps=30)
    images, labels = run.data.load("train")
    before = {k: v.clone() for k, v in run.model.state_dict().items()}
    for _ in range(100):
        logged = run.advance(torch.as_tensor(images), torch.as_tensor(labels))
    assert "rate" in logged and "distortion" not in logged
    after, average = run.model.state_dict(), run.average.state_dict()
    for name, value in before.items():
        held = torch.equal(after[name], value)
        assert held != name.startswith("prior."), name
        if held:
            torch.testing.assert_close(average[name], value, atol=1e-4, rtol=1e-4)
    assert torch.equal(run.average.codes(x), run.model.eval().codes(x))


def test_symbols_appear_one_by_one_over_grey() -> None:
    model = lively()
    first, last = model.refine(Rng(3, 4), label="1")
    assert (first.x[..., 4:] == 0.5).all() and (first.x[..., :4] != 0.5).any()
    assert torch.equal(last.x, model.sample(Rng(3, 4), label="1"))
    assert (last.label, last.total) == ("symbol 2 of 2", 2)


def test_samples_follow_the_prior() -> None:
    model = lively()
    decoded = model.decode(model.codebook.vectors()[grids()].permute(0, 3, 1, 2)).flatten(1)
    for label, index in (("any", 2), ("0", 0)):
        x = model.sample(Rng(0, 3000), label=label).flatten(1)
        seen = torch.bincount(torch.cdist(x, decoded).argmin(1), minlength=9) / 3000
        stated = (-model.prior.nats(grids(), torch.full((9,), index))).exp()
        torch.testing.assert_close(seen, stated, atol=0.03, rtol=0)


def test_pictures_that_cannot_be_halved_twice_are_refused() -> None:
    with pytest.raises(ValueError, match="halved twice"):
        VQVAE((1, 6, 8))
