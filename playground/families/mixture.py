"""Mixture of factor analysers (Ghahramani and Hinton 1996): a Gaussian mixture that high dimensions can afford."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Annotated, Any, final

import torch
from torch import Tensor
from typing_extensions import Self

from playground.capabilities import About, Density, Fits, LogProb, Refines, State
from playground.families.ppca import FLOOR, Space
from playground.knobs import Slider, Toggle
from playground.rng import Rng

ORDER = 20  # among the families on a page

CHUNK = 5000  # rows at a time: 30 MB of float64 at 784 pixels
TOGETHER = 200_000  # numbers in the covariances that are made at once: on the plane all, of pictures one
INNER = 3  # steps of factor analysis per component and iteration; they are cheap once the covariance is known
NEGLIGIBLE = 1e-9  # a responsibility that no sum of 50,000 others would feel


@final
class MixtureOfFactorAnalysers(Fits, Refines, Density):
    """Choose one of K clouds, then a point in it: means plus a few directions plus noise of its own in every pixel.

    A plain Gaussian mixture whose covariances are low rank plus diagonal, L L' + diag(psi), so that a component has
    D (q + 2) numbers and not D (D + 1) / 2. The diagonal is needed: where a pixel hardly varies, the factors leave a
    covariance without inverse.

    See Also:
        PPCA: one cloud, with equal noise everywhere, in closed form.

    References:
        The EM algorithm for mixtures of factor analyzers (Ghahramani and Hinton 1996, Toronto report CRG-TR-96-1).
        On GANs and GMMs (Richardson and Weiss 2018, arXiv:1805.12462).

    Args:
        shape: one datum, of any shape.
        components: how many clouds, K.
        factors: directions of each, q.
        levels: 256 for 8-bit pictures, which are modelled as the logits of their dequantised pixels; None for
            continuous data.

    Example:
        >>> MixtureOfFactorAnalysers(shape=(2,), components=3, factors=1, levels=None).sample(Rng(0, 4)).shape
        torch.Size([4, 2])
    """

    wants_float64 = True
    cannot = {
        "Encodes": "a picture has a code in each of its many clouds, and codes of two clouds mean different things",
        "Decodes": "a code means nothing until one of its many clouds has been chosen",
        "Reconstructs": "its clouds share no latent code that a picture could be turned into and back",
        "Denoises": "it is fitted to pictures as they are, not to noisy ones",
    }
    about = About(
        title="Gaussian mixture",
        line="Many Gaussian clouds at once, each with its own centre and its own directions of variation.",
        intuition=(
            "One cloud cannot hold both a 3 and a 7, but many small ones can: slanted ones, round zeros, bold sevens. "
            "Within a cloud, a digit is the cloud's average plus a little of a few typical changes, such as leaning."
        ),
        pros=(
            "Exact probabilities, quick fitting, and samples that look surprisingly sharp for so old an idea. "
            "It leaves no kind of digit out, and each cloud can be looked at to see what it has learnt."
        ),
        cons=(
            "Clouds do not share what they learn: what a stroke looks like is learnt again in each. "
            "Fine detail is missing, and the result depends on where the clouds began."
        ),
        training=(
            "By expectation-maximisation: ask how much each cloud is responsible for each picture, then move every "
            "cloud to fit the pictures it is responsible for, and repeat. No step can make the fit worse."
        ),
        latent="Which cloud, and a few numbers within it. The numbers of two clouds have nothing in common.",
        sampling="Choose a cloud at random, big ones more often; then draw a normal number for each of its directions.",
        density=(
            "Exactly: the sum of the clouds' normal densities, weighted by their sizes. For pictures it is applied to "
            "the logits of the pixels, after noise has spread each of the 256 grey levels over its whole interval."
        ),
        paper="Ghahramani and Hinton 1996, The EM algorithm for mixtures of factor analyzers",
    )

    log_weights: Tensor
    means: Tensor
    directions: Tensor
    variances: Tensor
    iterations: Tensor

    def __init__(
        self, shape: tuple[int, ...] = (1, 28, 28), components: int = 40, factors: int = 16, levels: int | None = 256
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.space = Space(self.shape, levels)
        self.components, self.factors = components, factors
        size = self.space.size
        self.register_buffer("log_weights", torch.full((components,), -math.log(components)))  # (K,)
        self.register_buffer("means", torch.randn(components, size))  # (K, D)
        self.register_buffer("directions", torch.randn(components, size, factors) / math.sqrt(factors))  # L, (K, D, q)
        self.register_buffer("variances", torch.full((components, size), 0.1))  # psi, (K, D)
        self.register_buffer("iterations", torch.tensor(0))  # of EM; 0 means not begun

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 4, 4), components=3, factors=2)

    @property
    def device(self) -> torch.device:
        return self.means.device  # there are no parameters to ask

    def fit(self, x: Tensor, label: Tensor, generator: torch.Generator) -> Iterator[dict[str, float]]:
        """Expectation-maximisation; the first call begins with k-means, whose seeds come from ``generator``.

        The dequantisation noise is integrated out, not drawn: the components see its mean and variance at each pixel.
        That takes no memory for the noise, cannot overfit it, and makes an iteration a function of the weights alone,
        so a resumed run ends where an uninterrupted one does. What is logged is the negative log-likelihood before
        the iteration's update: Jensen's bound on its average over the noise, which never rises.
        """
        t, v, log_det = self.space.moments(x)
        noise = v if self.space.levels else None  # there is none around continuous data
        offset = float(log_det.double().mean())
        if int(self.iterations) == 0:
            self._begin(t, v, generator)
        while True:
            shares, average = self._share(t, noise)
            together = max(1, TOGETHER // self.space.size**2)
            for some in torch.arange(self.components).split(together):
                self._update(some, shares[:, some], t, noise)
            self.log_weights.copy_(shares.mean(0).clamp(min=1e-30).log())
            self.iterations += 1
            yield self.space.logged(-average - offset)

    def _begin(self, t: Tensor, v: Tensor, generator: torch.Generator) -> None:
        """Means by k-means++ (Arthur and Vassilvitskii 2007) and ten rounds of k-means; round clouds of equal size."""
        some = torch.randperm(len(t), generator=generator, device=generator.device)[:10_000].cpu()
        part = t[some]  # (m, D)
        centres = part[:1]
        nearest = torch.full((len(part),), math.inf)
        for _ in range(1, self.components):
            nearest = torch.minimum(nearest, torch.cdist(part, centres[-1:]).squeeze(1).square())
            chosen = torch.multinomial((nearest + 1e-12).to(generator.device), 1, generator=generator).cpu()
            centres = torch.cat([centres, part[chosen]])
        for _ in range(10):
            distance, owner = torch.cdist(part, centres).min(1)
            sums = torch.zeros_like(centres).index_add_(0, owner, part)
            counts = torch.bincount(owner, minlength=self.components)[:, None]
            centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
        self.means.copy_(centres)
        self.directions.zero_()
        self.variances.fill_(float(distance.square().mean() / t.shape[1] + v.mean()) + FLOOR)

    def _share(self, t: Tensor, v: Tensor | None) -> tuple[Tensor, float]:
        """The E-step: each component's responsibility for each datum, (n, K), and the average log-likelihood."""
        vs: Iterable[Tensor | None] = repeat(None) if v is None else (b.double() for b in v.split(CHUNK))
        parts = [self._log_joint(a.double(), b) for a, b in zip(t.split(CHUNK), vs, strict=False)]
        joint = torch.cat(parts)
        nats = joint.logsumexp(1, keepdim=True)
        return joint.sub_(nats).exp_(), float(nats.mean())

    def _update(self, which: Tensor, share: Tensor, t: Tensor, v: Tensor | None) -> None:
        """The M-step of some components, (k,), which own ``share``, (n, k), of the data: exact for their means,
        ``INNER`` steps of factor analysis for their covariances.
        """
        rows = (share > NEGLIGIBLE).any(1).nonzero().squeeze(1)
        centre = self.means[which].cpu().double().mean(0)  # (D,); of data far away the squares would lose digits
        count = share[rows].sum(0)
        first = centre.new_zeros(len(which), len(centre))
        second, diagonal = centre.new_zeros(*first.shape, len(centre)), torch.zeros_like(first)
        whole = [slice(i, i + CHUNK) for i in range(0, len(t), CHUNK)]  # looked up without a copy
        for some in whole if len(rows) == len(t) else rows.split(CHUNK):
            r, d = (share[some] / count.clamp(min=NEGLIGIBLE)).T, t[some].double() - centre  # (k, m), (m, D)
            first += r @ d
            second += (r[:, None] * d.T).flatten(0, 1).mm(d).unflatten(0, first.shape)
            if v is not None:
                diagonal += r @ v[some].double()
        covariance = second - first[:, :, None] * first[:, None] + diagonal.diag_embed()
        if int(self.iterations) == 0:
            directions, variances = _principal(covariance, self.factors)
        else:
            directions = self.directions[which].cpu().double()
            variances = self.variances[which].cpu().double()
        for _ in range(INNER):
            directions, variances = _factor_step(covariance, directions, variances)
        owned = (count > NEGLIGIBLE)[:, None]  # one that owns nothing stays where it is
        self.means[which] = torch.where(owned, centre + first, self.means[which].cpu().double()).to(self.means)
        self.directions[which] = directions.to(self.directions)
        self.variances[which] = variances.to(self.variances)

    def refine(
        self,
        rng: Rng,
        *,
        temperature: Annotated[float, Slider(0.0, 2.0, 0.05, help="how far from its mean: 0 is the mean")] = 1.0,
        noise: Annotated[bool, Toggle(help="add the noise that the model expects in every pixel")] = False,
    ) -> Iterator[State]:
        """The mean of a random component, a random step along its factors, then its noise if that is asked for."""
        last = self.components - 1
        edges = self.log_weights.cpu().double().softmax(0).cumsum(0)
        which = torch.searchsorted(edges, rng.uniform().cpu().double(), right=True).clamp(max=last)  # (n,)
        z = temperature * rng.normal(self.factors)  # (n, q)
        grain = temperature * rng.normal(self.space.size)  # (n, D)
        which = which.to(self.device)
        t, total = self.means[which], 1 + noise
        name = f"component {int(which[0]) + 1} of {last + 1}" if len(rng) == 1 else f"one of {last + 1} components each"
        yield State(self.space.data(t), 0, total, f"the mean of {name}")
        t = t.clone()
        for component in which.unique().tolist():  # not L[which]: that is n copies of D x q numbers
            rows = which == component
            t[rows] += z[rows] @ self.directions[component].T
        yield State(self.space.data(t), 1, total, "+ a step along its factors")
        if noise:
            yield State(self.space.data(t + grain * self.variances[which].sqrt()), 2, total, "+ noise")

    def log_prob(self, x: Tensor, rng: Rng, **knobs: Any) -> LogProb:
        """Exact: the mixture's density, with the log-determinant of the pixels' transformation."""
        t, log_det = self.space.dequantise(x, rng)
        return self.space.log_prob(self._log_joint(t, None).logsumexp(1) + log_det, x)

    def _log_joint(self, t: Tensor, v: Tensor | None) -> Tensor:
        """Compute log w_j + log N(t; mean_j, L_j L_j' + psi_j), (n, K), float64; ``v``: averaged over noise around t.

        By Woodbury, so that nothing is larger than q x q: C^-1 = 1/psi - B'B with B = chol(I + L'L/psi)^-1 L'/psi.
        """
        means, variances = self.means.cpu().double(), self.variances.cpu().double()  # (K, D)
        directions = self.directions.cpu().double()  # (K, D, q)
        scaled = directions / variances[..., None]
        root = torch.linalg.cholesky(directions.mT @ scaled + torch.eye(self.factors, dtype=torch.float64))  # (K, q, q)
        b = torch.linalg.solve_triangular(root, scaled.mT, upper=False)  # (K, q, D)
        inside = t @ b.flatten(0, 1).T - (b @ means[..., None]).flatten()  # (n, K q)
        inside = inside.unflatten(1, (self.components, self.factors)).square().sum(2)  # (n, K)
        precision = 1 / variances
        distance = t.square() @ precision.T - 2 * t @ (means * precision).T + (means.square() * precision).sum(1)
        distance = distance - inside
        if v is not None:
            distance += v @ (precision - b.square().sum(1)).T  # the trace of diag(v) C^-1
        log_volume = variances.log().sum(1) + 2 * root.diagonal(dim1=1, dim2=2).log().sum(1)  # (K,)
        log_weights = self.log_weights.cpu().double().log_softmax(0)
        return log_weights - 0.5 * (self.space.size * math.log(2 * math.pi) + log_volume + distance)


def _factor_step(covariance: Tensor, directions: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """One EM step of factor analysis given the data's covariances, (k, D, D) (Ghahramani and Hinton 1996, equations 5
    and 6).
    """
    eye = torch.eye(directions.shape[2], dtype=covariance.dtype)
    scaled = directions / variances[..., None]  # (k, D, q)
    beta = torch.linalg.solve(eye + directions.mT @ scaled, scaled.mT)  # (k, q, D): E[z | t] = beta (t - mean)
    cross = covariance @ beta.mT  # (k, D, q): E[t z']
    second = eye - beta @ directions + beta @ cross  # (k, q, q): E[z z']
    directions = torch.linalg.solve(second, cross.mT).mT
    return directions, (covariance.diagonal(dim1=1, dim2=2) - (directions * cross).sum(2)).clamp(min=FLOOR)


def _principal(covariance: Tensor, factors: int) -> tuple[Tensor, Tensor]:
    """Where factor analysis starts: principal axes, (k, D, q), and equal noise, (k, D), as in probabilistic PCA."""
    spectrum, axes = torch.linalg.eigh(covariance)  # ascending
    noise = spectrum[:, :-factors].mean(1, keepdim=True).clamp(min=FLOOR)
    lengths = (spectrum[:, -factors:] - noise).clamp(min=0).sqrt()
    return axes[:, :, -factors:] * lengths[:, None], noise.expand(spectrum.shape)
