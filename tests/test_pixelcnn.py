"""PixelCNN: nothing sees the future, probabilities sum to one, and the memory changes nothing but the time."""

import itertools

import pytest
import torch

from playground.families.pixelcnn import PixelCNN
from playground.rng import Rng


def lively(seed: int = 0, **changes: object) -> PixelCNN:
    """A tiny instance with weights large enough that its odds differ from place to place."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        init = {"shape": (1, 8, 8), "channels": 8, "inner": 4, "layers": 2, "attend_every": 2, "heads": 2} | changes
        model = PixelCNN(**init)
        for p in model.parameters():
            p.data += 0.3 * torch.randn(p.shape)
    return model.requires_grad_(False).eval()


@pytest.mark.parametrize("attend_every", [1, 2])
@pytest.mark.parametrize("rows, reach", [(2, 1), (2, 2), (3, 1)])
def test_a_patch_is_guessed_from_all_patches_before_it_and_no_other(rows: int, reach: int, attend_every: int) -> None:
    model = lively(rows=rows, reach=reach, attend_every=attend_every).double()
    tokens = torch.randint(16, (1, 4, 4), generator=torch.Generator().manual_seed(1))
    inputs = model.embed(tokens).requires_grad_()
    x = model.first(inputs) + model.position
    for block in model.blocks:
        x = block(x)
    scores = model.head(x).flatten(1, 2)[0]  # (16 places, states)
    torch.testing.assert_close(scores, model.logits(tokens).flatten(1, 2)[0])
    for place in range(16):
        (slope,) = torch.autograd.grad(scores[place].square().sum(), inputs, retain_graph=True)
        reached = slope.flatten(1, 2)[0].abs().sum(-1)  # (16 places,)
        assert (reached[:place] > 0).all(), "a blind spot"
        assert (reached[place:] == 0).all(), "a look ahead"


@pytest.mark.parametrize(
    "shape, patch, levels", [((1, 4, 2), 2, 2), ((1, 2, 4), 1, 2), ((2, 2, 2), 1, 2), ((1, 1, 3), 1, 4)]
)
def test_probabilities_of_all_pictures_sum_to_one(shape: tuple[int, int, int], patch: int, levels: int) -> None:
    model = lively(shape=shape, patch=patch, levels=levels).double()
    pixels = shape[0] * shape[1] * shape[2]
    values = [k / (levels - 1) for k in range(levels)]
    x = torch.tensor(list(itertools.product(values, repeat=pixels)), dtype=torch.float64).reshape(-1, *shape)
    result = model.log_prob(x, Rng(0, len(x)))
    assert result.kind == "exact"
    eight_bit = 0 if levels == 2 else pixels * torch.tensor(256 / levels).log()  # each grey stands for so many
    total = (result.nats + eight_bit).double().exp().sum()
    torch.testing.assert_close(total, torch.tensor(1.0, dtype=torch.float64), rtol=1e-6, atol=0)
    assert result.nats.std() > 0.1


def test_log_prob_cuts_at_one_half_and_says_what_it_measures() -> None:
    model = lively()
    x = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    grey, black = model.log_prob(x, Rng(0, 3)), model.log_prob((x >= 0.5).float(), Rng(1, 3))
    torch.testing.assert_close(grey.nats, black.nats)
    assert grey.measure == "binary pixels"
    assert lively(shape=(1, 4, 4), patch=1, levels=256).log_prob(x[:, :, :4, :4], Rng(0, 3)).measure == "8-bit pixels"


@pytest.mark.parametrize("shape, patch, levels", [((1, 8, 8), 2, 2), ((3, 4, 6), 1, 4), ((1, 4, 4), 1, 256)])
def test_patches_are_a_bijection_of_pictures(shape: tuple[int, int, int], patch: int, levels: int) -> None:
    model = lively(shape=shape, patch=patch, levels=levels)
    x = torch.randint(levels, (5, *shape), generator=torch.Generator().manual_seed(0)) / (levels - 1)
    assert torch.equal(model.patches.pixels(model.patches.tokens(x)), x)


def test_a_patch_is_read_in_rows() -> None:
    x = torch.zeros(1, 1, 4, 4)
    x[0, 0, 0, 3] = 1  # upper right pixel of the second patch
    assert PixelCNN(shape=(1, 4, 4), channels=4, heads=1).patches.tokens(x).tolist() == [[[0, 2], [0, 0]]]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("shape, patch, levels", [((1, 8, 8), 2, 2), ((1, 6, 4), 1, 4)])
def test_the_memory_changes_nothing(shape: tuple[int, int, int], patch: int, levels: int, temperature: float) -> None:
    model = lively(shape=shape, patch=patch, levels=levels, rows=3, reach=1)
    fast = model.sample(Rng(17, 6), temperature=temperature)
    assert torch.equal(fast, model.sample_naively(Rng(17, 6), temperature=temperature))
    assert 0 < fast.mean() < 1


def test_a_sample_does_not_depend_on_its_batch() -> None:
    model = lively()
    assert torch.equal(model.sample(Rng(17, 1)), model.sample(Rng(17, 7))[:1])
    assert not torch.equal(model.sample(Rng(17, 7)), model.sample(Rng(18, 7)))


def test_rows_appear_one_by_one_over_grey() -> None:
    states = list(lively().refine(Rng(0, 2)))
    assert [s.done for s in states] == [1, 2, 3, 4]
    assert states[0].label == "row 1 of 4"
    for before, after in itertools.pairwise(states):
        rows = 2 * before.done
        assert torch.equal(before.x[:, :, :rows], after.x[:, :, :rows])
        assert (before.x[:, :, rows:] == 0.5).all()
    assert set(states[-1].x.unique().tolist()) == {0.0, 1.0}


def test_low_temperature_draws_more_probable_pictures() -> None:
    model = lively()
    cold, warm = (model.sample(Rng(0, 64), temperature=t) for t in (0.1, 1.5))
    rng = Rng(0, 64)
    assert model.log_prob(cold, rng).nats.mean() > model.log_prob(warm, rng).nats.mean() + 5


def test_samples_follow_the_stated_probabilities() -> None:
    model = lively(shape=(1, 2, 2))
    x = model.sample(Rng(0, 4000))
    seen = torch.bincount(model.patches.tokens(x).flatten(), minlength=16) / 4000
    stated = model.log_prob(model.patches.pixels(torch.arange(16).reshape(16, 1, 1)), Rng(0, 16)).nats.exp()
    torch.testing.assert_close(seen, stated, atol=0.03, rtol=0)


def test_drawing_leaves_gradients_as_they_were() -> None:
    model = lively()
    states = model.refine(Rng(0, 1))
    next(states)
    assert torch.is_grad_enabled()


def test_training_gives_every_weight_a_gradient_and_touches_no_global_randomness() -> None:
    model = lively().requires_grad_(True)
    x = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    before = torch.get_rng_state()
    losses = [model.loss(x, torch.zeros(4), torch.Generator().manual_seed(3), "model") for _ in range(2)]
    assert torch.equal(before, torch.get_rng_state())
    assert losses[0]["nats"] == losses[1]["nats"]
    losses[0]["nats"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("bad", [{"shape": (1, 7, 8)}, {"levels": 3}, {"patch": 4, "levels": 2}])
def test_what_does_not_fit_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        PixelCNN(**bad)


@pytest.mark.parametrize("height, width, patch, levels", [(4, 2, 2, 2), (2, 4, 1, 2), (1, 4, 1, 4)])
def test_surprise_at_a_pixel_is_that_of_its_value_given_the_pixels_before(
    height: int, width: int, patch: int, levels: int
) -> None:
    """By brute force: the probability of a beginning is that of all pictures which begin so."""
    model = lively(shape=(1, height, width), patch=patch, levels=levels).double()
    values = [k / (levels - 1) for k in range(levels)]
    x = torch.tensor(list(itertools.product(values, repeat=height * width)), dtype=torch.float64)
    x = x.reshape(-1, 1, height, width)
    nats, one = model.log_prob(x, Rng(0, len(x))).nats, x[len(x) // 3]
    patches = itertools.product(range(0, height, patch), range(0, width, patch))
    order = [(r + i, c + j) for r, c in patches for i in range(patch) for j in range(patch)]
    surprise, agree, before = model.surprise(one[None])[0], torch.ones(len(x), dtype=torch.bool), nats.logsumexp(0)
    for row, column in order:
        agree &= x[:, 0, row, column] == one[0, row, column]
        known = nats[agree].logsumexp(0)
        torch.testing.assert_close(surprise[row, column] - model.patches.grain, before - known)
        before = known
