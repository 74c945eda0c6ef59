"""A causal transformer over pictures (Chen et al. 2020, iGPT): attention writes them, patch by patch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, final

import torch
from torch import Tensor
from typing_extensions import Self

from playground.capabilities import About, Completes, Density, Learns, LogProb, Refines, State, Surprises
from playground.families.attention import CausalTransformer
from playground.families.patches import Patches
from playground.knobs import ANY, Label, Slider
from playground.rng import Rng

ORDER = 62  # among the families on a page

TOLD = 0.5  # how often training tells the class; the other half learns "any", whose likelihood is the one stated


@final
class Transformer(Learns, Refines, Density, Surprises, Completes):
    """Draws a picture of few greys patch by patch in reading order, looking back at all patches before each.

    As in iGPT, a decoder of text's kind, with pictures as the text. Here a symbol is a patch of 2x2 pixels: 16 symbols
    of black and white, a sequence of 196 for 28x28, and the probability of a picture is an exact product of odds.

    Warning:
        Of two levels, training draws either with the grey as probability, and ``log_prob`` cuts at one half.
        Told a class, the model states p(x | class); with "any", a p(x) of its own, not the average over classes.

    References:
        Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762; Chen et al. 2020, Generative Pretraining from
        Pixels, ICML.

    Args:
        shape: one picture, (channels, height, width); height and width must be multiples of ``patch``.
        classes: how many classes it can be told.
        patch: side of a patch in pixels.
        levels: grey levels of a pixel, a divisor of 256; a patch has ``levels ** (patch * patch * channels)`` states.
        width: channels.
        depth: blocks of attention and perceptron.
        heads: attention heads; each needs a multiple of four channels.

    Example:
        >>> Transformer.tiny().sample(Rng(17, 2), label="1").shape
        torch.Size([2, 1, 8, 8])
    """

    cannot: ClassVar[dict[str, str]] = {
        "Encodes": "a transformer that writes pictures has no latent: it goes straight from the patches so far to the"
        " next",
        "Decodes": "a transformer that writes pictures has no latent: all its randomness enters patch by patch",
        "Reconstructs": "a transformer that writes pictures has no latent to squeeze a picture into",
        "Denoises": "a transformer has learnt to continue a picture, not to clean one",
    }
    about: ClassVar[About] = About(
        title="Transformer",
        line="Writes a picture as language models write text: the next patch, looking back at all before.",
        intuition=(
            "A language model guesses the next word from all words so far. Here the words are tiny patches of a "
            "picture, in reading order. For each guess, attention asks every earlier patch how much it matters: the "
            "other side of a loop that must be closed now may lie far above."
        ),
        pros=(
            "It gives exact probabilities and trains calmly, and the whole picture so far is one step away from every "
            "guess. The same network writes text, sound or pictures."
        ),
        cons=(
            "Drawing is slow, patch after patch, and attention compares every patch with every other, which grows with "
            "the square of the picture. With few pictures or little time it learns less than convolutions do, because "
            "it has to find out by itself that neighbours matter."
        ),
        training=(
            "All patches of a picture are guessed at once, each from those before it. The loss is the surprise at the "
            "true patches: the exact negative log-likelihood. Half of the time the class is told, half of the time it "
            "is hidden."
        ),
        latent="It has none. What a picture is about is spread over the patches drawn so far.",
        sampling=(
            "Patch by patch in reading order: read the odds, roll the dice, go on. Keys and values of earlier patches "
            "are kept, so that each new patch costs one short look back instead of a whole new reading."
        ),
        density=(
            "One pass gives the odds of every patch given those before it; their product is the probability of the "
            "picture, exactly."
        ),
        paper="Chen et al. 2020, Generative Pretraining from Pixels; Vaswani et al. 2017, Attention Is All You Need",
        arxiv="1706.03762",
    )

    completing: ClassVar[str] = (
        "Drawn patch by patch in reading order: where nothing known comes after the gap, these are exact draws from the"
        " model's odds given the rest."
    )

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        patch: int = 2,
        levels: int = 2,
        width: int = 96,
        depth: int = 6,
        heads: int = 3,
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.labels = tuple(str(i) for i in range(classes))
        self.patches = Patches(shape, patch, levels)
        self.net = CausalTransformer(self.patches.states, self.patches.grid, classes, width, depth, heads)

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), classes=3, width=8, depth=2, heads=2)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Negative log-likelihood in nats per picture; black and white are drawn anew from the greys in every step."""
        if self.patches.levels == 2:
            x = (torch.rand(x.shape, generator=generator, device=x.device) < x).float()
        told = self.net.maybe(label, TOLD, generator)
        nats = self.net.nats(self.patches.tokens(x), told)
        return {"nats": nats.mean(), "bits per dim": nats.detach().mean() / (x[0].numel() * 0.6931)}

    def log_prob(
        self, x: Tensor, rng: Rng, *, label: Annotated[str, Label(help="given this class, or for any")] = ANY
    ) -> LogProb:
        """Exact. Black and white by a cut at one half; coarser greys than 256 are spread evenly over the 8-bit ones."""
        nats = self.net.nats(self.patches.tokens(x), self._told(label, x)) + self.patches.grain * x[0].numel()
        return LogProb(-nats, "exact", self.patches.measure)

    @torch.no_grad()
    def surprise(self, x: Tensor) -> Tensor:
        tokens = self.patches.tokens(x)
        return self.patches.surprise(self.net(tokens, self._told(ANY, x)), tokens)

    def refine(
        self,
        rng: Rng,
        *,
        label: Annotated[str, Label()] = ANY,
        temperature: Annotated[
            float, Slider(0.1, 1.5, 0.05, help="below 1 safer and smoother pictures, above 1 wilder ones")
        ] = 1.0,
    ) -> Iterator[State]:
        """The picture after every row of patches; rows still to be drawn are mid-grey."""
        height, width = self.patches.grid
        uniforms = rng.uniform(height, width)
        drawing = self.net.draw(self._told(label, uniforms), uniforms, temperature)
        for place, tokens in enumerate(drawing, 1):
            if place % width == 0:
                row = place // width
                x = self.patches.pixels(tokens)
                x[:, :, row * self.patches.patch :] = 0.5
                yield State(x, row, height, f"row {row} of {height}")

    def complete(
        self,
        x: Tensor,
        known: Tensor,
        rng: Rng,
        *,
        label: Annotated[str, Label(help="of which class, or any")] = ANY,
        temperature: Annotated[float, Slider(0.1, 1.5, 0.05, help="below 1 safer endings, above 1 wilder ones")] = 1.0,
    ) -> Iterator[State]:
        """The picture after every row of patches; what is known of a patch rules out the states that differ."""
        height, width = self.patches.grid
        uniforms = rng.uniform(height, width)
        drawing = self.net.draw(self._told(label, uniforms), uniforms, temperature, self.patches.allowed(x, known))
        for place, tokens in enumerate(drawing, 1):
            if place % width == 0:
                row = place // width
                new = self.patches.pixels(tokens)
                new[:, :, row * self.patches.patch :] = 0.5
                yield State(torch.where(known, x, new), row, height, f"row {row} of {height}")

    def sample_naively(self, rng: Rng, label: str = ANY, temperature: float = 1.0) -> Tensor:
        """What ``sample`` draws, without its memory.

        The same picture, though the two add in different orders: a symbol is another only where the number drawn lies
        within rounding, about 1e-7, of the border between two symbols' odds.
        """
        uniforms = rng.uniform(*self.patches.grid)
        return self.patches.pixels(self.net.draw_naively(self._told(label, uniforms), uniforms, temperature))

    def _told(self, label: str, like: Tensor) -> Tensor:
        """The class named, or that for any, for each of (n, ...)."""
        index = self.net.any if label == ANY else self.labels.index(label)
        return torch.full((len(like),), index, device=like.device)
