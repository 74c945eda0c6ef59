"""VQ-VAE (van den Oord, Vinyals and Kavukcuoglu 2017, arXiv:1711.00937): pictures as few symbols, and their prior."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import (
    About,
    Density,
    Learns,
    LogProb,
    RateDistortion,
    Reconstructs,
    Refines,
    State,
)
from playground.families.attention import CausalTransformer
from playground.families.layers import Residual
from playground.knobs import ANY, Label, Slider
from playground.rng import Rng

ORDER = 36  # among the families on a page

TOLD = 0.5  # how often the prior's training tells the class; the other half learns "any"
DECAY = 0.95  # of the codebook's running means; the paper's 0.99 follows a new encoder too slowly, and codes die
COMMITMENT = 0.25  # the weight, beta, of the distance from the encoder's answer to its code
RARE = 0.03  # of an even share: a code used less is dead, and begins anew with three times as much

Which = Annotated[str, Label()]
Temperature = Annotated[float, Slider(0.1, 1.5, 0.05, help="below 1 more usual symbols, above 1 more surprising ones")]


class Codebook(nn.Module):
    """Codes that are running means of what the encoder put nearest to them (the paper's appendix A.1, equation 6).

    Kept as sums and counts, whose running averages, such as the training loop's, are again sums and counts: the
    average's codes are the means of the same encodings over a longer time.

    Args:
        codes: how many there are.
        size: numbers in each.
    """

    sums: Tensor
    counts: Tensor

    def __init__(self, codes: int, size: int) -> None:
        super().__init__()
        few = 1e-6  # of no weight: the first batch decides
        self.register_buffer("sums", few * torch.randn(codes, size))
        self.register_buffer("counts", torch.full((codes,), few))

    def vectors(self) -> Tensor:
        """The codes, (codes, size)."""
        return self.sums / self.counts.unsqueeze(1)

    def nearest(self, z: Tensor) -> Tensor:
        """The number of the code nearest to each of (..., size), (...)."""
        e = self.vectors()
        return (e.square().sum(1) - 2 * z @ e.T).argmin(-1)

    @torch.no_grad()
    def update(self, z: Tensor, index: Tensor, generator: torch.Generator) -> None:
        """Move the codes towards the encodings (m, size) that chose them, (m,); dead codes begin anew at one of these.

        A code that nobody chooses would never move again (Dhariwal et al. 2020, arXiv:2005.00341, restart them so).
        """
        chosen = F.one_hot(index, len(self.counts)).type_as(z)  # (m, codes)
        self.counts.lerp_(chosen.sum(0), 1 - DECAY)
        self.sums.lerp_(chosen.T @ z, 1 - DECAY)
        anew = z[torch.randint(len(z), self.counts.shape, generator=generator, device=z.device)]
        least = RARE * len(z) / len(self.counts)
        dead = self.counts < least
        self.sums[dead], self.counts[dead] = 3 * least * anew[dead], 3 * least


@final
class VQVAE(Learns, Refines, Reconstructs, Density, RateDistortion):
    """An encoder to a grid of discrete codes, a decoder with independent Bernoulli pixels, and a prior over the codes.

    The encoder's answer at each place is replaced by the nearest vector of a codebook; gradients pass straight through
    (the paper's equation 3). The prior p(codes | class) is a causal transformer. Both learn at the same time, the prior
    on whatever codes there are; after ``freeze`` steps the autoencoder holds still and the prior catches up.

    Warning:
        Pictures it draws are the pixels' probabilities, not draws from them.

    Reference:
        Van den Oord, Vinyals and Kavukcuoglu 2017, Neural Discrete Representation Learning, arXiv:1711.00937.

    Args:
        shape: one picture, (channels, height, width); height and width must be multiples of four.
        classes: how many classes it can be told.
        codes: how many codes the codebook has.
        size: numbers in a code.
        channels: of the encoder and the decoder.
        layers: residual blocks in each.
        width: channels of the prior.
        depth: its blocks.
        heads: its attention heads.
        freeze: steps after which the autoencoder holds still.

    Example:
        >>> VQVAE.tiny().sample(Rng(17, 2), label="1").shape
        torch.Size([2, 1, 8, 8])
    """

    normal_codes = False
    cannot: ClassVar[dict[str, str]] = {
        "Denoises": "a VQ-VAE gives pictures back from codes: it has not learnt to remove noise",
    }
    about: ClassVar[About] = About(
        title="VQ-VAE",
        line="Turns a picture into a short page of symbols, and writes such pages.",
        intuition=(
            "An encoder describes each part of a picture by a symbol from a small alphabet that it invents, and a "
            "decoder redraws the picture from the symbols. A second network learns which pages of symbols make sense, "
            "and writes new ones for the decoder to draw."
        ),
        pros=(
            "Pictures come out sharp, since no code has to answer for a whole cloud of pictures. The slow part, "
            "writing symbol after symbol, works on a page much smaller than the picture."
        ),
        cons=(
            "Two models have to fit each other, and symbols can die out unused. There is nothing between two symbols, "
            "so one picture cannot turn into another smoothly. The bound on the probability is loose, as it counts "
            "one page for each picture."
        ),
        training=(
            "Redraw the picture well from the nearest symbols. Choosing the nearest has no gradient, so the decoder's "
            "is passed on to the encoder as if nothing had been chosen. Symbols move to the mean of what is described "
            "by them. The prior learns to guess each symbol from those before it."
        ),
        latent=(
            "Yes: a grid of symbols, each standing for a short vector. A random page means nothing; the prior knows "
            "which ones do."
        ),
        sampling="The prior writes the symbols one after the other, in reading order; the decoder draws them at once.",
        density=(
            "Only bounded: the probability of the picture's own page of symbols, times that of the picture given the "
            "page. Other pages could have given the picture too."
        ),
        paper="van den Oord, Vinyals and Kavukcuoglu 2017, Neural Discrete Representation Learning",
        arxiv="1711.00937",
    )

    seen: Tensor

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        codes: int = 64,
        size: int = 16,
        channels: int = 96,
        layers: int = 2,
        width: int = 96,
        depth: int = 4,
        heads: int = 3,
        freeze: int = 10_000,
    ) -> None:
        super().__init__()
        if shape[1] % 4 or shape[2] % 4:
            raise ValueError(f"pictures of shape {tuple(shape)} cannot be halved twice.")
        self.shape, self.freeze = tuple(shape), freeze
        self.grid = (shape[1] // 4, shape[2] // 4)
        self.latent = (size, *self.grid)
        self.labels = tuple(str(i) for i in range(classes))
        self.codebook = Codebook(codes, size)
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * shape[0], channels // 2, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(channels // 2, channels, 4, stride=2, padding=1),
            *(residual(channels) for _ in range(layers)),
            nn.Conv2d(channels, size, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(size, channels, 3, padding=1),
            *(residual(channels) for _ in range(layers)),
            nn.SiLU(),
            nn.Conv2d(channels, 4 * (channels // 2), 1),
            nn.PixelShuffle(2),
            nn.SiLU(),
            nn.Conv2d(channels // 2, 4 * shape[0], 3, padding=1),
            nn.PixelShuffle(2),
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # several times faster on a CPU
        self.prior = CausalTransformer(codes, self.grid, classes, width, depth, heads)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))  # steps of the autoencoder

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), classes=3, codes=5, size=4, channels=8, layers=1, width=8, depth=1, heads=2)

    def players(self) -> dict[str, list[nn.Parameter]]:
        coder = [*self.encoder.parameters(), *self.decoder.parameters()]
        return {"autoencoder": coder, "prior": list(self.prior.parameters())}

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Of the autoencoder the distortion and its commitment, of the prior the rate, in nats per picture."""
        if player == "autoencoder" and self.seen >= self.freeze:  # no gradient: its optimiser passes over the weights
            return {"loss": torch.zeros((), requires_grad=True, device=x.device)}
        seen = self._seen(x, generator)
        if player == "prior":
            told = self.prior.maybe(label, TOLD, generator)
            return {"rate": self.prior.nats(self.codes(seen), told).mean()}
        z = self._encode(seen)  # (n, H, W, size)
        index = self.codebook.nearest(z.detach())
        code = self.codebook.vectors()[index]
        straight = z + (code - z).detach()
        distortion = self._distortion(x, straight).mean()
        commitment = (z - code).square().flatten(1).sum(1).mean()
        if self.training:
            self.codebook.update(z.detach().flatten(0, 2), index.flatten(), generator)
            self.seen += 1
        return {
            "loss": distortion + COMMITMENT * commitment,
            "distortion": distortion,
            "commitment": commitment,
            "codes used": torch.bincount(index.flatten(), minlength=len(code)).gt(0).sum().float(),
        }

    @staticmethod
    def _seen(x: Tensor, generator: torch.Generator) -> Tensor:
        """What the encoder is shown of pictures (n, *shape): half of them as they are, the others binarised at random.

        The decoder is asked for the greys, which are the mean over binarisations: no symbol is spent on their noise.
        """
        binary = torch.rand(x.shape, generator=generator, device=x.device) < x
        coin = torch.rand(len(x), 1, 1, 1, generator=generator, device=x.device) < 0.5
        return torch.where(coin, x, binary.to(x.dtype))

    @torch.no_grad()
    def codes(self, x: Tensor) -> Tensor:
        """The symbols (n, H, W) of pictures (n, *shape)."""
        return self.codebook.nearest(self._encode(x))

    def encode(self, x: Tensor) -> Tensor:
        """The vectors (n, size, H, W) of each picture's symbols."""
        return self.codebook.vectors()[self.codes(x)].permute(0, 3, 1, 2)

    def decode(self, z: Tensor) -> Tensor:
        """Each pixel's probability of being white, (n, *shape); vectors (n, size, H, W) are first made symbols."""
        index = self.codebook.nearest(z.permute(0, 2, 3, 1))
        return self.logits(self.codebook.vectors()[index]).sigmoid()

    def logits(self, code: Tensor) -> Tensor:
        """Log-odds of each pixel's being white, (n, *shape), of vectors (n, H, W, size)."""
        return self.decoder(code.permute(0, 3, 1, 2))

    def rate_distortion(self, x: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """-log p(symbols) for any class, and -log p(x | symbols), of the picture binarised at one half."""
        return self._rate_distortion(x, ANY)

    def log_prob(
        self, x: Tensor, rng: Rng, *, label: Annotated[str, Label(help="given this class, or for any")] = ANY
    ) -> LogProb:
        """The bound log p(symbols) + log p(x | symbols), of the picture binarised at one half.

        The sum over all grids of symbols is p(x); this is the term of those that the encoder chooses.
        """
        rate, distortion = self._rate_distortion(x, label)
        return LogProb(-rate - distortion, "lower bound", "binary pixels")

    def refine(self, rng: Rng, *, label: Which = ANY, temperature: Temperature = 1.0) -> Iterator[State]:
        """The picture after every symbol; places still to be written are mid-grey."""
        total = self.grid[0] * self.grid[1]
        for done, tokens in enumerate(self._write(rng, label, temperature), 1):
            yield State(self._draw(tokens, done), done, total, f"symbol {done} of {total}")

    def sample(self, rng: Rng, *, label: Which = ANY, temperature: Temperature = 1.0) -> Tensor:
        """The last state of ``refine``; the others are not drawn."""
        for tokens in self._write(rng, label, temperature):  # noqa: B007 - the last one is meant
            pass
        return self._draw(tokens, tokens[0].numel())

    def _write(self, rng: Rng, label: str, temperature: float) -> Iterator[Tensor]:
        uniforms = rng.uniform(*self.grid)
        return self.prior.draw(self._told(label, uniforms), uniforms, temperature)

    @torch.no_grad()
    def _draw(self, tokens: Tensor, done: int) -> Tensor:
        """Pictures of the first ``done`` symbols of (n, H, W), mid-grey where the others would be."""
        vectors = self.codebook.vectors()
        ready = (torch.arange(tokens[0].numel(), device=tokens.device) < done).view(self.grid)
        code = torch.where(ready.unsqueeze(-1), vectors[tokens], vectors.mean(0))
        x = self.logits(code).sigmoid()
        return torch.where(ready.repeat_interleave(4, 0).repeat_interleave(4, 1), x, 0.5)

    def _rate_distortion(self, x: Tensor, label: str) -> tuple[Tensor, Tensor]:
        x = (x > 0.5).to(x.dtype)
        index = self.codes(x)
        return self.prior.nats(index, self._told(label, x)), self._distortion(x, self.codebook.vectors()[index])

    def _distortion(self, x: Tensor, code: Tensor) -> Tensor:
        """-log p(x | code) in nats, (n,), of binary pictures and vectors (n, H, W, size)."""
        return F.binary_cross_entropy_with_logits(self.logits(code), x, reduction="none").flatten(1).sum(1)

    def _encode(self, x: Tensor) -> Tensor:
        """The encoder's answers (n, H, W, size), not yet made symbols, all of one length: they cannot run away."""
        return F.layer_norm(self.encoder(2 * x - 1).permute(0, 2, 3, 1), self.latent[:1])

    def _told(self, label: str, like: Tensor) -> Tensor:
        """The class named, or that for any, for each of (n, ...)."""
        index = self.prior.any if label == ANY else self.labels.index(label)
        return torch.full((len(like),), index, device=like.device)


def residual(channels: int) -> Residual:
    """A block of the encoder and the decoder, on half the channels."""
    norm, narrow = nn.GroupNorm(4, channels), channels // 2
    return Residual(
        norm, nn.SiLU(), nn.Conv2d(channels, narrow, 3, padding=1), nn.SiLU(), nn.Conv2d(narrow, channels, 1)
    )
