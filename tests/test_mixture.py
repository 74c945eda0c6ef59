"""Probabilistic PCA and mixtures of factor analysers, against scikit-learn, closed forms and themselves."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from torch import Tensor

from playground import catalog
from playground.capabilities import Density, Fits, Model, Refines
from playground.catalog import Card
from playground.families.mixture import MixtureOfFactorAnalysers
from playground.families.ppca import PPCA
from playground.rng import Rng

LABEL = torch.zeros(0)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def clusters(n: int = 600, size: int = 5) -> Tensor:
    """Three overlapping Gaussian clouds in ``size`` dimensions, (n, size), float32."""
    g = generator()
    centres = 2 * torch.randn(3, size, generator=g)
    shear = torch.randn(3, size, size, generator=g) / 2
    which = torch.randint(3, (n,), generator=g)
    return centres[which] + (shear[which] @ torch.randn(n, size, 1, generator=g)).squeeze(2)


def pictures(n: int = 300) -> Tensor:
    """Grey 1 x 4 x 4 pictures of 256 levels, two sorts, with a border that is always black."""
    g = generator()
    bright = torch.rand(2, 4, 4, generator=g)[torch.randint(2, (n,), generator=g)]
    x = (bright + 0.2 * torch.randn(n, 4, 4, generator=g)).clamp(0, 1)
    x[:, 0] = 0
    return (x * 255).round()[:, None] / 255


def fitted_ppca(levels: int | None) -> PPCA:
    x = clusters() if levels is None else pictures()
    model = PPCA(tuple(x.shape[1:]), factors=2, levels=levels)
    next(iter(model.fit(x, LABEL, generator())))
    return model


def fitted_mixture(levels: int | None) -> MixtureOfFactorAnalysers:
    x = clusters() if levels is None else pictures()
    model = MixtureOfFactorAnalysers(tuple(x.shape[1:]), components=3, factors=2, levels=levels)
    list(itertools.islice(model.fit(x, LABEL, generator()), 10))
    return model


def covariances(model: MixtureOfFactorAnalysers) -> Tensor:
    """(K, D, D), float64."""
    directions = model.directions.double()
    return directions @ directions.mT + torch.diag_embed(model.variances.double())


def as_sklearn(model: MixtureOfFactorAnalysers) -> GaussianMixture:
    """The same mixture, for scikit-learn."""
    other = GaussianMixture(model.components, covariance_type="full")
    other.weights_ = model.log_weights.double().exp().numpy()
    other.means_ = model.means.double().numpy()
    other.covariances_ = covariances(model).numpy()
    other.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(other.covariances_))
    return other


def test_ppca_is_sklearns() -> None:
    x = clusters()
    model, other = fitted_ppca(None), PCA(n_components=2).fit(x.double().numpy())
    ml = (len(x) - 1) / len(x)  # theirs divides by n - 1, maximum likelihood by n
    other.explained_variance_ = other.explained_variance_ * ml
    other.noise_variance_ = other.noise_variance_ * ml
    ours = model.log_prob(x, Rng(0, len(x))).nats.numpy()
    np.testing.assert_allclose(ours, other.score_samples(x.double().numpy()), atol=1e-3)


def test_ppca_of_pictures_is_sklearns() -> None:
    """The same dequantised data for both, many draws of noise for them where ours integrates over it."""
    x, model = pictures(), fitted_ppca(256)
    draws = np.concatenate([model.space.dequantise(x, Rng(seed, len(x)))[0].numpy() for seed in range(1, 100)])
    other = PCA(n_components=2).fit(draws)
    t, log_det = model.space.dequantise(x, Rng(0, len(x)))
    theirs = other.score_samples(t.numpy()) + log_det.numpy()
    ours = model.log_prob(x, Rng(0, len(x))).nats.numpy()
    assert abs(ours.mean() - theirs.mean()) < 0.02
    assert np.abs(ours - theirs).max() < 0.5  # what is left is the noise of their 99 draws


@pytest.mark.parametrize("levels", [None, 256])
def test_ppca_density_is_the_normal_one(levels: int | None) -> None:
    model = fitted_ppca(levels)
    x = clusters() if levels is None else pictures()
    t, log_det = model.space.dequantise(x, Rng(3, len(x)))
    w = model.directions.double()
    covariance = w @ w.T + model.variance.double() * torch.eye(len(w), dtype=torch.float64)
    normal = torch.distributions.MultivariateNormal(model.mean.double(), covariance)
    torch.testing.assert_close(
        model.log_prob(x, Rng(3, len(x))).nats.double(), normal.log_prob(t) + log_det, atol=1e-3, rtol=0
    )


def test_log_det_of_the_pixels_is_autograds() -> None:
    space = PPCA.tiny().space
    x = pictures(2)
    y = ((x.flatten(1).double() * 255).round() + Rng(0, 2).uniform(16).double()) / 256
    jacobian = torch.autograd.functional.jacobian(lambda y: torch.logit(1e-6 + (1 - 2e-6) * y[0]), y[:1])[:, 0]
    expected = torch.linalg.slogdet(jacobian)[1] - 16 * math.log(256)
    assert float(space.dequantise(x, Rng(0, 2))[1][0]) == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize("levels", [None, 256])
def test_mixture_is_sklearns(levels: int | None) -> None:
    model = fitted_mixture(levels)
    x = clusters() if levels is None else pictures()
    t, log_det = model.space.dequantise(x, Rng(0, len(x)))
    theirs = as_sklearn(model).score_samples(t.numpy()) + log_det.numpy()
    np.testing.assert_allclose(model.log_prob(x, Rng(0, len(x))).nats.numpy(), theirs, atol=1e-3)


@pytest.mark.parametrize("levels", [None, 256])
def test_em_never_falls(levels: int | None) -> None:
    x = clusters() if levels is None else pictures()
    model = MixtureOfFactorAnalysers(tuple(x.shape[1:]), components=4, factors=2, levels=levels)
    nats = [row["nats"] for row in itertools.islice(model.fit(x, LABEL, generator()), 30)]
    assert all(after <= before + 1e-5 for before, after in itertools.pairwise(nats))
    assert nats[-1] < nats[0] - 0.1


def test_em_bounds_the_dequantised_likelihood() -> None:
    """What fit logs lies below the average of log_prob over the noise, and close to it."""
    x, model = pictures(), fitted_mixture(256)
    logged = -next(iter(model.fit(x, LABEL, generator())))["nats"]
    drawn = torch.stack([fitted_mixture(256).log_prob(x, Rng(seed, len(x))).nats.mean() for seed in range(5)]).mean()
    assert logged - 0.1 < float(drawn) < logged + 1


def test_fit_goes_on_where_it_stopped() -> None:
    whole, parts = (MixtureOfFactorAnalysers((5,), 3, 1, None) for _ in range(2))
    list(itertools.islice(whole.fit(clusters(), LABEL, generator()), 6))
    list(itertools.islice(parts.fit(clusters(), LABEL, generator()), 2))
    list(itertools.islice(parts.fit(clusters(), LABEL, generator().manual_seed(9)), 4))
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], value, atol=0, rtol=0)


@pytest.mark.parametrize(
    "model", [PPCA((2,), 1, None), MixtureOfFactorAnalysers((2,), 3, 1, None)], ids=["ppca", "mixture"]
)
def test_density_integrates_to_one(model: PPCA | MixtureOfFactorAnalysers) -> None:
    next(iter(model.fit(clusters(size=2), LABEL, generator())))
    line = torch.linspace(-12, 12, 400)
    x = torch.cartesian_prod(line, line)
    mass = model.log_prob(x, Rng(0)).nats.exp().sum() * (line[1] - line[0]) ** 2
    assert float(mass) == pytest.approx(1, abs=1e-3)


def test_samples_have_the_models_moments() -> None:
    rng, n = Rng(0, 20_000), 20_000
    ppca, mixture = fitted_ppca(None), fitted_mixture(None)
    weights = mixture.log_weights.double().exp()
    mean = weights @ mixture.means.double()
    d = mixture.means.double() - mean
    within = (weights[:, None, None] * (covariances(mixture) + d[:, :, None] * d[:, None])).sum(0)
    w = ppca.directions
    expected = [
        (ppca, ppca.mean.double(), (w @ w.T + ppca.variance * torch.eye(5)).double()),
        (mixture, mean, within),
    ]
    for model, centre, covariance in expected:
        x = model.sample(rng, noise=True).double()
        spread = covariance.diagonal().sqrt()
        assert ((x.mean(0) - centre).abs() < 5 * spread / math.sqrt(n)).all()
        assert ((x.T.cov() - covariance).abs() < 0.05 * torch.outer(spread, spread)).all()


def test_ppca_encodes_what_it_decodes() -> None:
    """With noise so small that the posterior is a point, the code comes back."""
    model = fitted_ppca(None)
    model.variance.fill_(1e-6)
    z = Rng(0, 7).normal(2)
    torch.testing.assert_close(model.encode(model.decode(z)), z, atol=1e-3, rtol=0)


@pytest.mark.parametrize("family", [PPCA, MixtureOfFactorAnalysers])
def test_a_sample_is_the_same_alone_and_in_a_batch(family: type[Refines]) -> None:
    model = family.tiny()
    for noise in (False, True):
        states = list(model.refine(Rng(17, 6), noise=noise))
        assert [s.done for s in states] == list(range(states[0].total + 1))
        alone = model.sample(Rng(17, 6).pick([4]), noise=noise)
        torch.testing.assert_close(alone, states[-1].x[4:5], atol=1e-5, rtol=0)
    assert 0 <= float(states[-1].x.min()) <= float(states[-1].x.max()) <= 1
    still = list(model.refine(Rng(17, 6), temperature=0.0, noise=True))
    torch.testing.assert_close(still[0].x, still[-1].x)


@pytest.mark.parametrize("family", [PPCA, MixtureOfFactorAnalysers])
def test_a_density_is_the_same_alone_and_in_a_batch(family: type[Density]) -> None:
    model, x = family.tiny(), pictures(6)
    whole = model.log_prob(x, Rng(1, 6))
    assert (whole.kind, whole.measure) == ("exact", "8-bit pixels")
    alone = model.log_prob(x[4:5], Rng(1, 6).pick([4]))
    torch.testing.assert_close(alone.nats, whole.nats[4:5])


@pytest.mark.parametrize("make", [fitted_ppca, fitted_mixture])
def test_the_shelf_gives_it_back(make: type[Fits], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_PRETRAINED", str(tmp_path))
    catalog.load.cache_clear()
    model = make(256)
    family = type(model)
    init = {"shape": (1, 4, 4), "factors": 2} | ({"components": 3} if family is MixtureOfFactorAnalysers else {})
    module = family.__module__.rsplit(".", 1)[1]
    card = Card("tried", module, family.__name__, init, "mnist", (), "", 0, "", 0, {})
    catalog.save(model, card)
    again: Model = catalog.load("tried")
    assert isinstance(again, family) and isinstance(again, Density)
    torch.testing.assert_close(again.sample(Rng(5, 3)), model.sample(Rng(5, 3)), atol=0, rtol=0)
    x = pictures(3)
    torch.testing.assert_close(again.log_prob(x, Rng(0, 3)).nats, model.log_prob(x, Rng(0, 3)).nats, atol=0, rtol=0)
    catalog.load.cache_clear()


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="levels must be 256 or None"):
        PPCA(levels=16)
    with pytest.raises(ValueError, match="factors must be from 1 to 1"):
        PPCA(shape=(2,), factors=2)
