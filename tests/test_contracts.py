"""One contract per capability, held by every family in the catalogue at tiny size: a new family is held to it too."""

from __future__ import annotations

import inspect
import itertools
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor
from toyshelf import put

from playground import catalog
from playground.capabilities import (
    CAPABILITIES,
    Carries,
    Classifies,
    Decodes,
    Denoises,
    Density,
    Encodes,
    Fields,
    Fits,
    Kind,
    Learns,
    Measure,
    Model,
    RateDistortion,
    Reconstructs,
    Refines,
    Samples,
    Sprints,
    Surprises,
    Translates,
    why_not,
)
from playground.knobs import Choice, Label, Refused, Slider, Spec, Toggle, check, knobs
from playground.rng import Rng

FAMILIES = catalog.families()
LABELS = ("one", "two", "three")


def those(*capabilities: type[Model]) -> pytest.MarkDecorator:
    """Run a test for every family that has all of ``capabilities``."""
    fit = [pytest.param(f, id=n) for n, f in FAMILIES.items() if all(issubclass(f, c) for c in capabilities)]
    return pytest.mark.parametrize("family", fit)


def fresh(family: type[Model]) -> Model:
    """A tiny model with weights that are all at work: output layers that begin at zero hide what stands before them."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = family.tiny()
        for parameter in model.parameters():
            parameter.data += 0.1 * torch.randn(parameter.shape)
    return model


@cache
def lively(family: type[Model]) -> Model:
    """The same, ready to use; shared, so do not change it."""
    return fresh(family).eval().requires_grad_(False)


def data(model: Model, n: int) -> Tensor:
    """Random data (n, *shape); pictures with 256 grey levels."""
    g = torch.Generator().manual_seed(1)
    if len(model.shape) == 3:
        return torch.randint(256, (n, *model.shape), generator=g) / 255
    return torch.randn(n, *model.shape, generator=g)


def classes(model: Model, n: int) -> Tensor:
    return torch.arange(n) % max(1, len(model.labels))


def assert_data(model: Model, x: Tensor, n: int) -> None:
    """``n`` finite data, pictures in [0, 1]."""
    assert x.shape == (n, *model.shape) and x.isfinite().all()
    if len(model.shape) == 3:
        assert float(x.min()) >= 0 and float(x.max()) <= 1


def close(one: Tensor, other: Tensor) -> None:
    """Up to float32; data of few values, such as black and white, are then equal."""
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.fixture(autouse=True)
def no_global_randomness() -> Iterator[None]:
    """Nothing may draw from, or seed, a generator that it was not given."""
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    yield
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate()
    assert np.array_equal(before[2], np.random.get_state()[1])  # noqa: NPY002


@those(Samples)
def test_samples_are_data(family: type[Samples]) -> None:
    model = lively(family)
    for label in ("any", *model.labels[:2]) if model.labels else (None,):
        x = model.sample(Rng(3, 4), **({} if label is None else {"label": label}))
        assert_data(model, x, 4)


@those(Samples)
def test_a_seed_is_a_sample(family: type[Samples]) -> None:
    model = lively(family)
    x = model.sample(Rng(17, 2))
    assert torch.equal(x, model.sample(Rng(17, 2)))
    assert not torch.equal(x, model.sample(Rng(18, 2)))
    assert not torch.equal(x[0], x[1])


@those(Samples)
def test_a_sample_does_not_depend_on_its_batch(family: type[Samples]) -> None:
    model = lively(family)
    batch = model.sample(Rng(17, 5))
    close(model.sample(Rng(17, 1)), batch[:1])
    close(model.sample(Rng(17, 5).pick([4, 2])), batch[[4, 2]])


@those(Refines)
def test_refining_shows_every_state_and_ends_in_the_sample(family: type[Refines]) -> None:
    model = lively(family)
    states, kept = [], []
    for state in model.refine(Rng(17, 2)):
        assert_data(model, state.x, 2)
        states.append(state)
        kept.append(state.x.clone())
    first, total = states[0].done, states[0].total
    assert first in (0, 1) and [s.done for s in states] == list(range(first, total + 1))
    assert {s.total for s in states} == {total}
    assert all(s.label for s in states)
    assert all(torch.equal(s.x, k) for s, k in zip(states, kept, strict=True)), "a state changed after it was shown"
    assert torch.equal(states[-1].x, model.sample(Rng(17, 2)))


@those(Refines)
def test_watching_leaves_gradients_as_they_were(family: type[Refines]) -> None:
    states = iter(lively(family).refine(Rng(0, 1)))
    next(states)
    assert torch.is_grad_enabled()


@those(Learns)
def test_every_weight_is_trained_by_one_player(family: type[Learns]) -> None:
    model = fresh(family)
    owned = [id(p) for parameters in model.players().values() for p in parameters]
    assert len(owned) == len(set(owned))
    assert set(owned) == {id(p) for p in model.parameters()}


@those(Learns)
def test_every_weight_gets_a_gradient(family: type[Learns]) -> None:
    model = fresh(family)
    names = {id(p): n for n, p in model.named_parameters()}
    x, label = data(model, 8), classes(model, 8)
    for player, parameters in model.players().items():
        losses = model.loss(x, label, torch.Generator().manual_seed(0), player)
        assert all(v.ndim == 0 and v.isfinite() for v in losses.values())
        model.zero_grad(set_to_none=True)
        next(iter(losses.values())).backward()
        assert [names[id(p)] for p in parameters if p.grad is None or not p.grad.any()] == []
        assert all(p.grad.isfinite().all() for p in parameters if p.grad is not None)


@those(Learns)
def test_a_loss_depends_on_its_generator_alone(family: type[Learns]) -> None:
    model = fresh(family).eval()
    x, label = data(model, 8), classes(model, 8)
    for player in model.players():
        one, other = (model.loss(x, label, torch.Generator().manual_seed(5), player) for _ in range(2))
        assert {k: v.item() for k, v in one.items()} == {k: v.item() for k, v in other.items()}


@those(Sprints)
def test_gradients_written_by_hand_are_those_of_autograd(family: type[Sprints]) -> None:
    model, same = fresh(family), fresh(family)
    x = data(model, 8)
    for player, parameters in same.players().items():
        losses = same.loss(x, classes(same, 8), torch.Generator().manual_seed(3), player)
        next(iter(losses.values())).backward()
        value = model.gradient(x, torch.Generator().manual_seed(3), player)
        close(value, next(iter(losses.values())).detach())
        for ours, autograds in zip(model.players()[player], parameters, strict=True):
            assert ours.grad is not None and autograds.grad is not None
            torch.testing.assert_close(ours.grad, autograds.grad, atol=1e-5, rtol=1e-4)
        same.zero_grad()


@those(Fits)
def test_fitting_improves(family: type[Fits]) -> None:
    model = fresh(family)
    x = data(model, 60)
    logged = list(itertools.islice(model.fit(x, classes(model, 60), torch.Generator().manual_seed(0)), 4))
    assert all(np.isfinite(v) for row in logged for v in row.values())
    first = [next(iter(row.values())) for row in logged]
    assert all(after <= before + 1e-4 for before, after in itertools.pairwise(first))


@those(Encodes)
def test_codes_have_the_shape_of_the_latent(family: type[Encodes]) -> None:
    model = lively(family)
    x = data(model, 5)
    z = model.encode(x)
    assert z.shape == (5, *model.latent) and z.isfinite().all()
    torch.testing.assert_close(model.encode(x[2:3]), z[2:3], atol=1e-4, rtol=1e-4)


@those(Decodes)
def test_codes_decode_to_data(family: type[Decodes]) -> None:
    model = lively(family)
    z = Rng(0, 5).normal(*model.latent)
    x = model.decode(z)
    assert_data(model, x, 5)
    close(model.decode(z[2:3]), x[2:3])


@those(Reconstructs)
def test_reconstructing_is_encoding_and_decoding(family: type[Reconstructs]) -> None:
    model = lively(family)
    x = data(model, 3)
    assert torch.equal(model.reconstruct(x), model.decode(model.encode(x)))


@those(Density)
def test_log_probabilities_come_with_their_kind(family: type[Density]) -> None:
    model = lively(family)
    result = model.log_prob(data(model, 5), Rng(1, 5))
    assert result.kind in get_args(Kind) and result.measure in get_args(Measure)
    assert result.nats.shape == (5,) and result.nats.isfinite().all()
    assert result.kind != "estimate" or result.stderr is not None
    if result.stderr is not None:
        assert result.stderr.shape == (5,) and (result.stderr >= 0).all()
    if result.measure != "continuous":
        assert (result.nats <= 0).all(), "a probability is at most one"


@those(Density)
def test_a_log_probability_does_not_depend_on_its_batch(family: type[Density]) -> None:
    model = lively(family)
    x = data(model, 5)
    together, alone = model.log_prob(x, Rng(1, 5)), model.log_prob(x[3:4], Rng(1, 5).pick([3]))
    torch.testing.assert_close(alone.nats, together.nats[3:4], atol=1e-3, rtol=1e-5)


@those(Density, Surprises)
def test_surprises_of_the_pixels_add_up_to_that_of_the_picture(family: type[Density]) -> None:
    model = lively(family)
    assert isinstance(model, Surprises)
    x = data(model, 5)
    nats, known = model.surprise(x), model.log_prob(x, Rng(1, 5))
    assert known.kind == "exact" and nats.shape == (5, *model.shape[1:])
    assert (nats >= -1e-5).all() or known.measure == "continuous"
    torch.testing.assert_close(nats.sum((1, 2)), -known.nats, atol=1e-3, rtol=1e-5)
    torch.testing.assert_close(model.surprise(x[3:4]), nats[3:4], atol=1e-4, rtol=1e-4)


@those(RateDistortion)
def test_rate_and_distortion_are_nats_of_each_datum(family: type[RateDistortion]) -> None:
    model = lively(family)
    x = data(model, 5)
    rate, distortion = model.rate_distortion(x, Rng(1, 5))
    assert rate.shape == distortion.shape == (5,) and distortion.isfinite().all()
    assert rate.isfinite().all() and (rate >= -1e-5).all()
    for whole, alone in zip((rate, distortion), model.rate_distortion(x[3:4], Rng(1, 5).pick([3])), strict=True):
        torch.testing.assert_close(alone, whole[3:4], atol=1e-3, rtol=1e-5)


@those(Denoises)
def test_denoising_gives_data_of_the_same_shape(family: type[Denoises]) -> None:
    model = lively(family)
    x, sigma = Rng(0, 5).normal(*model.shape), torch.tensor([0.001, 0.1, 1.0, 10.0, 1000.0])
    clean = model.denoise(x, sigma)
    assert clean.shape == x.shape and clean.isfinite().all()
    torch.testing.assert_close(model.denoise(x[3:4], sigma[3:4]), clean[3:4], atol=1e-4, rtol=1e-4)


@those(Fields)
@pytest.mark.parametrize("t", [0.0, 0.5, 1.0])
def test_a_field_has_an_arrow_at_every_point_and_time(family: type[Fields], t: float) -> None:
    model = lively(family)
    arrows = model.field(data(model, 5), t)
    assert arrows.shape == (5, *model.shape) and arrows.isfinite().all()
    assert model.field_name and (model.timed or torch.equal(arrows, model.field(data(model, 5), 0.7)))


@those(Carries)
def test_a_path_leads_from_its_start_to_a_datum(family: type[Carries]) -> None:
    model = lively(family)
    z = torch.randn(5, *model.latent, generator=torch.Generator().manual_seed(2))
    path = model.carry(z)
    assert len(path) > 1
    close(path[0], z)
    assert_data(model, path[-1], 5)


def sketches(model: Model, n: int) -> Tensor:
    """Outlines that differ: ``n`` frames, each a pixel further in, (n, 1, height, width)."""
    _, height, width = model.shape
    ink = torch.zeros(n, 1, height, width)
    for i in range(n):
        ink[i, :, i : height - i, i : width - i] = 1
        ink[i, :, i + 1 : height - i - 1, i + 1 : width - i - 1] = 0
    return ink


def translated(model: Translates, sketch: Tensor, rng: Rng, **knobs: object) -> Tensor:
    """The last state."""
    *_, last = model.translate(sketch, rng, **knobs)
    return last.x


@those(Translates)
def test_an_outline_becomes_a_picture(family: type[Translates]) -> None:
    model = lively(family)
    states = list(model.translate(sketches(model, 3), Rng(17, 3)))
    for state in states:
        assert_data(model, state.x, 3)
        assert state.label
    assert [s.done for s in states] == list(range(1, states[0].total + 1))
    assert_data(model, translated(model, torch.zeros(2, 1, *model.shape[1:]), Rng(1, 2)), 2)


@those(Translates)
def test_a_picture_of_an_outline_depends_on_its_seed_and_outline_alone(family: type[Translates]) -> None:
    model = lively(family)
    given = sketches(model, 3)
    x = translated(model, given, Rng(17, 3))
    assert torch.equal(x, translated(model, given, Rng(17, 3)))
    assert not torch.equal(x, translated(model, given, Rng(18, 3)))
    close(translated(model, given[2:], Rng(17, 3).pick([2])), x[2:])
    same = translated(model, given[:1].expand(3, -1, -1, -1), Rng(17, 3))
    close(same[:1], x[:1])
    assert not torch.allclose(same[2], x[2], atol=1e-3), "another outline, another picture"
    assert not torch.allclose(same[0], same[1], atol=1e-3), "another draw, another picture"


@those(Translates)
def test_outlines_are_drawn_as_they_are_learnt_from(family: type[Translates]) -> None:
    model = lively(family)
    x = data(model, 3)
    clean = model.outline(x)
    by_hand = model.outline_by_hand(x, torch.Generator().manual_seed(0))
    for ink in (clean, by_hand):
        assert ink.shape == (3, 1, *model.shape[1:]) and float(ink.min()) >= 0 and float(ink.max()) <= 1
    assert torch.equal(clean[1:2], model.outline(x[1:2]))
    assert torch.equal(by_hand, model.outline_by_hand(x, torch.Generator().manual_seed(0)))


@those(Translates)
def test_translating_works_at_both_ends_of_every_knob(family: type[Translates]) -> None:
    model = lively(family)
    for spec in knobs(family.translate, model.labels):
        for value in ends(spec, model.labels):
            assert_data(model, translated(model, sketches(model, 2), Rng(0, 2), **{spec.name: value}), 2)


@those(Classifies)
def test_a_classifier_scores_every_class(family: type[Classifies]) -> None:
    model = lively(family)
    x = data(model, 5)
    assert model.features(x).shape == (5, model.feature_size)
    scores = model.classify(x)
    assert scores.shape == (5, len(model.labels)) and scores.isfinite().all()
    close(model.classify(x[2:3]), scores[2:3])


def own_knobs(family: type[Model]) -> dict[str, tuple[Spec, ...]]:
    """The knobs of every method a family has, by the method's name."""
    methods = [str(vars(c)["method"]) for c in CAPABILITIES if issubclass(family, c)]
    return {method: knobs(getattr(family, method), LABELS) for method in methods}


@those()
def test_knobs_are_described_and_their_defaults_pass_their_own_check(family: type[Model]) -> None:
    for method, specs in own_knobs(family).items():
        assert check(specs, {}) == {s.name: s.default for s in specs}
        assert all(s.knob.help for s in specs), f"a knob of {method} does not say what it does"
        for spec in specs:
            with pytest.raises(Refused):
                check(specs, {spec.name: float("nan")})


@those()
def test_every_setting_is_a_knob(family: type[Model]) -> None:
    for method in own_knobs(family).keys() - {"denoise"}:  # which no page calls: its keywords are tensors
        keywords = {
            name
            for name, p in inspect.signature(getattr(family, method)).parameters.items()
            if p.kind is p.KEYWORD_ONLY
        }
        assert keywords == {s.name for s in own_knobs(family)[method]}


def ends(spec: Spec, labels: tuple[str, ...]) -> tuple[object, ...]:
    """The outermost values of a knob, or all of them."""
    match spec.knob:
        case Slider(low=low, high=high):
            return low, high
        case Label():
            return labels[0], labels[-1]
        case Choice(options=options):
            return options
        case Toggle():
            return False, True
    raise AssertionError(f"{spec.knob} is no knob of a model")


@those(Samples)
def test_sampling_works_at_both_ends_of_every_knob(family: type[Samples]) -> None:
    model = lively(family)
    method = Refines.method if issubclass(family, Refines) else Samples.method
    for spec in knobs(getattr(family, method), model.labels):
        for value in ends(spec, model.labels):
            assert_data(model, model.sample(Rng(0, 2), **{spec.name: value}), 2)


@those()
def test_what_a_family_says_it_cannot_do_is_what_it_lacks(family: type[Model]) -> None:
    lacking = {c.__name__ for c in CAPABILITIES if not issubclass(family, c)}
    assert set(family.cannot) <= lacking


@those(Samples)
@pytest.mark.parametrize("needed", CAPABILITIES, ids=lambda c: c.__name__)
def test_whatever_a_family_lacks_has_a_reason(family: type[Model], needed: type[Model]) -> None:
    reason = why_not(family, needed)
    assert (reason is None) == issubclass(family, needed)
    if reason is not None:
        assert len(reason) > 10 and not reason.endswith(".") and "\n" not in reason


@those()
def test_only_helpers_go_unexplained(family: type[Model]) -> None:
    assert (family.about is None) == (issubclass(family, Classifies) and not issubclass(family, Samples))


@those()
def test_the_shelf_gives_a_model_back(family: type[Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made again from its card's plain JSON values and its stored weights, it draws the same."""
    monkeypatch.setenv("PLAYGROUND_PRETRAINED", str(tmp_path))
    catalog.load.cache_clear()
    init = family.tiny.__func__(inspect.signature(family).bind).arguments  # type: ignore[attr-defined]
    put(lively(family), "tried", **init)
    with torch.random.fork_rng():
        again = catalog.load("tried")
    catalog.load.cache_clear()
    assert type(again) is family and not again.training
    assert not any(p.requires_grad for p in again.parameters())
    assert (again.shape, again.labels) == (lively(family).shape, lively(family).labels)
    if isinstance(again, Samples):
        assert torch.equal(again.sample(Rng(5, 3)), lively(family).sample(Rng(5, 3)))
    if isinstance(again, Classifies):
        assert torch.equal(again.classify(data(again, 3)), lively(family).classify(data(again, 3)))


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: c.__name__)
def test_every_capability_has_a_family(capability: type[Model]) -> None:
    assert any(issubclass(family, capability) for family in FAMILIES.values())
