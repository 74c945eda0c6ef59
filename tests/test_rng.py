"""Randomness: one stream per sample, the same in any company, and another one for every seed."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from playground.rng import MAX_SEED, Rng, stream


@pytest.mark.parametrize("draw", ["normal", "uniform", "integers"])
def test_a_stream_does_not_know_its_batch(draw: str) -> None:
    sizes = (10, 3, 4) if draw == "integers" else (3, 4)
    many, alone = Rng(17, 5), [Rng(17, 5).pick([i]) for i in range(5)]
    for _ in range(2):  # the second draw goes on where the first one stopped
        together = getattr(many, draw)(*sizes)
        assert together.shape == (5, 3, 4)
        assert torch.equal(together, torch.cat([getattr(one, draw)(*sizes) for one in alone]))
    assert torch.equal(getattr(Rng(17, 1), draw)(*sizes), getattr(Rng(17, 5), draw)(*sizes)[:1])


def test_every_seed_and_sample_has_a_stream_of_its_own() -> None:
    seeds = (0, 1, 2, 17, 4096, 4097, 2**20, 2**30, MAX_SEED - 1, MAX_SEED)
    draws = torch.cat([Rng(seed, 8).uniform(2) for seed in seeds])
    assert len(draws.unique(dim=0)) == 8 * len(seeds)


def test_streams_are_numbered_within_the_32_bits_that_the_cpu_generator_looks_at() -> None:
    same = [torch.rand(3, generator=torch.Generator().manual_seed(s)) for s in (5, 5 + 2**32)]
    assert torch.equal(*same), "torch looks at more bits now: streams could be numbered more simply"
    assert all(0 <= stream(seed, i) < 2**32 for seed in (0, 1, MAX_SEED) for i in (0, 10**6))


@pytest.mark.parametrize("first", [0, 123_456_789, MAX_SEED - 999])
def test_the_streams_of_a_thousand_seeds_in_a_row_do_not_meet(first: int) -> None:
    starts = sorted(stream(first + k, 0) for k in range(1000))
    gaps = [b - a for a, b in itertools.pairwise([*starts, starts[0] + 2**32])]
    assert min(gaps) > 10**6


def test_neighbouring_streams_are_not_correlated() -> None:
    n, size = 200, 100
    x = Rng(3, n).normal(size).double()  # (n, size)
    assert abs(float(x.mean())) < 5 / math.sqrt(n * size)
    assert abs(float(x.var()) - 1) < 5 * math.sqrt(2 / (n * size))
    for lag in (1, 2):
        together = (x[lag:] * x[:-lag]).mean()
        assert abs(float(together)) < 5 / math.sqrt((n - lag) * size)
    first = x[:, 0]  # the first number of each stream, where a poor seeding shows
    assert abs(float((first[1:] * first[:-1]).mean())) < 5 / math.sqrt(n)


def test_uniforms_lie_below_one_and_integers_below_their_limit() -> None:
    u, k = Rng(0, 50).uniform(200), Rng(0, 50).integers(3, 200)
    assert u.min() >= 0 and u.max() < 1
    assert k.dtype == torch.int64 and set(k.unique().tolist()) == {0, 1, 2}
    assert Rng(0, 7).integers(5).shape == (7,)


def test_take_begins_anew_and_pick_goes_on() -> None:
    rng = Rng(5, 3)
    first = rng.normal(2)
    assert torch.equal(rng.take(3).normal(2), first)
    second = rng.pick([2]).normal(2)  # drawn from this batch's third stream, which has now moved on
    whole = Rng(5, 3)
    assert torch.equal(whole.normal(2), first)
    assert torch.equal(whole.normal(2)[2:], second)
    assert torch.equal(rng.normal(2)[2:], whole.normal(2)[2:])


def test_batches_of_several_seeds_are_put_together_in_order() -> None:
    whole = Rng.cat([Rng(1, 2), Rng(2, 3)])
    assert len(whole) == 5
    assert torch.equal(whole.normal(4), torch.cat([Rng(1, 2).normal(4), Rng(2, 3).normal(4)]))


def test_nothing_touches_the_global_generator() -> None:
    before = torch.get_rng_state()
    Rng(1, 3).normal(4)
    assert torch.equal(before, torch.get_rng_state())
