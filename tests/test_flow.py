"""The flow against zuko's splines, autograd's Jacobian, its own inverse, and the total probability of one."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from zuko.transforms import MonotonicRQSTransform

from playground.families.flow import Flow, spline
from playground.rng import Rng

BINS = 5


def lively(shape: tuple[int, int, int] = (1, 8, 8), levels: int = 1, seed: int = 0, size: float = 0.3) -> Flow:
    """A small flow in float64 with all its networks at work and uneven grey levels."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Flow(shape=shape, levels=levels, width=4, depth=1, top_width=32, bins=4)
        for parameter in model.parameters():
            parameter.data += size * torch.randn(parameter.shape)
    return model.double().eval().requires_grad_(False)


def pictures(n: int, shape: tuple[int, int, int] = (1, 8, 8)) -> Tensor:
    """Random 8-bit pictures."""
    return torch.randint(256, (n, *shape), generator=torch.Generator().manual_seed(1)).double() / 255


def parameters(n: int, spread: float) -> tuple[Tensor, Tensor]:
    """Places in [0, 1], (n,), and splines' raw numbers, (n, 3 BINS + 1)."""
    g = torch.Generator().manual_seed(2)
    x = torch.rand(n, generator=g, dtype=torch.float64)
    return x, spread * torch.randn(n, 3 * BINS + 1, generator=g, dtype=torch.float64)


def zukos(theta: Tensor) -> MonotonicRQSTransform:
    """The same spline, of zuko: its formulas, with our knots and slopes (both have their own least widths)."""
    width, height, slope = theta.split([BINS, BINS, BINS + 1], -1)
    other = MonotonicRQSTransform(width, height, slope[..., 1:-1])
    shares = (1e-4 + (1 - 1e-4 * BINS) * t.softmax(-1) for t in (width, height))
    other.horizontal, other.vertical = (F.pad(share.cumsum(-1), (1, 0)) for share in shares)
    other.derivatives = 1e-4 + F.softplus(slope + math.log(math.e - 1))
    return other


@pytest.mark.parametrize("spread", [0.1, 1.0, 4.0])
def test_the_spline_is_zukos(spread: float) -> None:
    x, theta = parameters(500, spread)
    other = zukos(theta)
    y, log_slope = spline(x, theta)
    expected, ladj = other.call_and_ladj(x)
    torch.testing.assert_close(y, expected, atol=1e-9, rtol=0)
    torch.testing.assert_close(log_slope, ladj, atol=1e-7, rtol=1e-7)
    back, log_inverse = spline(x, theta, inverse=True)
    torch.testing.assert_close(back, other.inv(x), atol=1e-9, rtol=0)
    torch.testing.assert_close(log_inverse, -other.call_and_ladj(other.inv(x))[1], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("spread", [0.1, 4.0])
def test_the_spline_and_its_inverse_undo_each_other(spread: float) -> None:
    x, theta = parameters(500, spread)
    y, up = spline(x, theta)
    back, down = spline(y, theta, inverse=True)
    torch.testing.assert_close(back, x, atol=1e-8, rtol=0)
    torch.testing.assert_close(up, -down, atol=1e-5, rtol=0)


def test_the_spline_maps_the_unit_interval_onto_itself_and_rises() -> None:
    _, theta = parameters(20, 1.0)
    x = torch.linspace(0, 1, 4001, dtype=torch.float64)
    y, log_slope = spline(x.expand(20, -1), theta[:, None].expand(-1, 4001, -1))
    torch.testing.assert_close(y[:, [0, -1]], torch.tensor([[0.0, 1.0]], dtype=torch.float64).expand(20, -1))
    assert (y.diff(dim=1) > 0).all()
    total = torch.trapezoid(log_slope.exp(), x)  # the density of what is mapped to uniform
    torch.testing.assert_close(total, torch.ones(20, dtype=torch.float64), atol=1e-3, rtol=0)


def test_raw_zeros_are_the_identity() -> None:
    x, theta = parameters(50, 0.0)
    y, log_slope = spline(x, theta)
    torch.testing.assert_close(y, x, atol=1e-3, rtol=0)
    assert float(log_slope.abs().max()) < 1e-3


def jacobian(model: Flow, x: Tensor, noise: Tensor) -> Tensor:
    """Of the codes with respect to the noise that fills the grey levels, (pixels, pixels)."""

    def codes(u: Tensor) -> Tensor:
        return model.forward_map(x, u.view_as(x))[0].flatten()

    return torch.autograd.functional.jacobian(codes, noise.flatten())


@pytest.mark.parametrize(("shape", "levels"), [((1, 8, 8), 1), ((1, 8, 8), 2), ((1, 4, 6), 1)])
def test_the_log_determinant_is_that_of_autograds_jacobian(shape: tuple[int, int, int], levels: int) -> None:
    model = lively(shape, levels)
    for x, seed in zip(pictures(3, shape).split(1), range(3), strict=True):
        noise = 0.05 + 0.9 * Rng(seed, 1).uniform(*shape).double()
        _, stretch = model.forward_map(x, noise)
        expected = torch.linalg.slogdet(jacobian(model, x, noise))
        assert expected.sign == 1
        assert float(stretch) == pytest.approx(float(expected.logabsdet), abs=1e-6)


@pytest.mark.parametrize("levels", [1, 2])
def test_each_pixel_is_mapped_given_those_drawn_before_it(levels: int) -> None:
    """In the order in which a picture appears, the Jacobian is triangular; every other order of stages is not."""
    model = lively(levels=levels)
    states = [y for y, _ in model.invert(Rng(0, 1).uniform(1, 8, 8).squeeze(0)[None].double())]
    stages = [(a != b).flatten().nonzero().flatten() for a, b in itertools.pairwise(states)]
    assert [len(s) for s in stages] == {1: [16, 16, 16, 16], 2: [4, 4, 4, 4, 16, 16, 16]}[levels]
    order = torch.cat(stages)
    assert order.sort().values.tolist() == list(range(64))
    x = pictures(1)
    whole = jacobian(model, x, torch.full_like(x, 0.4))
    ordered = whole[order][:, order]
    assert float(ordered.triu(1).abs().max()) == 0
    assert (ordered.diagonal() > 0).all()
    swapped = torch.cat([*stages[1:], stages[0]])
    assert float(whole[swapped][:, swapped].triu(1).abs().max()) > 0


@pytest.mark.parametrize("levels", [1, 2])
def test_codes_and_pictures_are_one_to_one(levels: int) -> None:
    model = lively(levels=levels)
    codes = 1e-3 + (1 - 2e-3) * Rng(3, 6).uniform(1, 8, 8).double()
    *_, (y, _name) = model.invert(codes)
    grey = (256 * y).floor()
    back, _ = model.forward_map(grey / 255, 256 * y - grey)
    torch.testing.assert_close(back, codes, atol=1e-6, rtol=0)


def test_all_8_bit_pictures_together_have_probability_one() -> None:
    """Uniform codes, mapped back, are draws from the model; the mean of 1 / density over them is the volume, 256^4."""
    model, n = lively((1, 2, 2), size=0.15), 20_000
    codes = torch.rand(n, 1, 2, 2, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    *_, (y, _name) = model.invert(codes)
    grey = (256 * y).floor().clamp(0, 255)
    _, stretch = model.forward_map(grey / 255, 256 * y - grey)
    volume = (-stretch - 4 * math.log(256)).exp()
    error = float(volume.std()) / math.sqrt(n)
    assert error < 0.02
    assert float(volume.mean()) == pytest.approx(1, abs=5 * error)


def test_samples_of_two_by_two_pixels_follow_the_stated_density() -> None:
    """The entropy by two roads: the mean of -log p over draws of the model, and over codes in the map's own terms."""
    model, n = lively((1, 2, 2)), 4000
    x = model.sample(Rng(0, n)).double()
    stated = torch.stack([model.log_prob(x, Rng(seed, n)).nats for seed in range(1, 5)]).mean(0)
    codes = Rng(0, n).uniform(1, 2, 2).double()
    *_, (y, _name) = model.invert(codes)
    grey = (256 * y).floor().clamp(0, 255)
    drawn = model.forward_map(grey / 255, 256 * y - grey)[1]
    error = math.hypot(float(stated.std()), float(drawn.std())) / math.sqrt(n)
    assert float(stated.mean()) == pytest.approx(float(drawn.mean()), abs=5 * error)


def test_pictures_come_back_from_their_codes() -> None:
    model = lively(levels=2).float()
    x = pictures(20).float()
    torch.testing.assert_close(model.reconstruct(x), x, atol=1e-3, rtol=0)


def test_codes_of_samples_are_the_noise_they_came_from() -> None:
    """Up to the rounding of a picture to 256 grey levels."""
    model = lively()
    z = Rng(5, 4).normal(1, 8, 8)
    x = model.decode(z).double()
    torch.testing.assert_close(model.decode(model.encode(x)).double(), x, atol=1e-3, rtol=0)
    assert float((model.encode(x) - z).abs().median()) < 0.05


def test_grey_levels_follow_the_first_batchs_histogram() -> None:
    model = Flow.tiny()
    x = torch.where(torch.arange(64).view(1, 1, 8, 8) < 48, 0.0, 1.0).expand(4, -1, -1, -1)
    label, generator = torch.zeros(4), torch.Generator().manual_seed(0)
    model.loss(x, label, generator, "model")
    kept = model.histogram.detach().clone()
    share = kept.softmax(0)
    assert float(share[0]) == pytest.approx(193 / 512) and float(share[255]) == pytest.approx(65 / 512)
    model.loss(1 - x, label, generator, "model")
    assert torch.equal(model.histogram, kept), "only the first batch sets it"


def test_a_flow_whose_splines_are_the_identity_knows_the_histogram_and_no_more() -> None:
    model = Flow.tiny()
    for last in (model.top.layers[2], *(net.blocks[-1] for net in model.conditioners[0])):
        last.bias.data.zero_()  # its weights begin at zero
    model.histogram.data = torch.randn(256, generator=torch.Generator().manual_seed(0))
    x = pictures(3).float()
    expected = model.histogram.detach().log_softmax(0)[(255 * x).round().long()].flatten(1).sum(1)
    torch.testing.assert_close(model.log_prob(x, Rng(0, 3)).nats.detach(), expected, atol=0.05, rtol=0)
