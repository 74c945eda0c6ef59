"""PixelCNN (van den Oord, Kalchbrenner and Kavukcuoglu 2016, arXiv:1601.06759): the next pixels, given those before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, cast, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import About, Completes, Density, Learns, LogProb, Refines, State, Surprises
from playground.families.patches import IN_ORDER, Patches, pick
from playground.knobs import Slider
from playground.rng import Rng

ORDER = 60  # among the families on a page


class CausalConv(nn.Module):
    """A convolution over a grid (n, H, W, channels) that sees rows above and, in its own row, what lies to the left.

    Args:
        inputs: channels in.
        outputs: channels out.
        rows: height of the kernel; its last row is the place's own.
        reach: how far the kernel reaches to either side.
        strict: whether the place itself is hidden too (the paper's mask A, for the first layer) or seen (mask B).
    """

    mask: Tensor

    def __init__(self, inputs: int, outputs: int, rows: int, reach: int, strict: bool = False) -> None:
        super().__init__()
        self.rows, self.reach = rows, reach
        self.weight = nn.Conv2d(inputs, outputs, (rows, 2 * reach + 1)).weight
        self.bias = nn.Parameter(torch.zeros(outputs))
        mask = torch.ones(rows, 2 * reach + 1)
        mask[-1, reach + (not strict) :] = 0
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, H, W, outputs) of (n, H, W, inputs). Channels stay last in memory, which is fastest on a CPU."""
        x = F.pad(x, (0, 0, self.reach, self.reach, self.rows - 1, 0)).permute(0, 3, 1, 2)
        return F.conv2d(x, self.weight * self.mask, self.bias).permute(0, 2, 3, 1)

    def remember(self, n: int, height: int, width: int) -> list[Tensor]:
        """What ``at`` needs: the padded input, nothing of it known yet, and the kernel as a matrix."""
        size = (n, height + self.rows - 1, width + 2 * self.reach, self.weight.shape[1])
        kernel = (self.weight * self.mask).permute(2, 3, 1, 0).flatten(0, 2)  # (rows * columns * inputs, outputs)
        return [self.weight.new_zeros(size), kernel]

    def put(self, x: Tensor, memory: list[Tensor], row: int, column: int) -> None:
        """Remember the input (n, inputs) of one place."""
        memory[0][:, row + self.rows - 1, column + self.reach] = x

    def at(self, memory: list[Tensor], row: int, column: int) -> Tensor:
        """The output (n, outputs) at one place, of the inputs remembered."""
        seen, kernel = memory
        window = seen[:, row : row + self.rows, column : column + 2 * self.reach + 1]
        return torch.addmm(self.bias, window.reshape(len(seen), -1), kernel)


class GatedBlock(nn.Module):
    """A residual causal convolution with a gate (van den Oord et al. 2016, arXiv:1606.05328, equation 2).

    It works on fewer channels than the residual stream has, as in the paper's figure 5: most of the cost is its kernel.
    """

    def __init__(self, channels: int, inner: int, rows: int, reach: int) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, inner), nn.SiLU())
        self.conv = CausalConv(inner, 2 * inner, rows, reach)
        self.out = nn.Linear(inner, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.out(F.glu(self.conv(self.down(x))))

    def remember(self, n: int, height: int, width: int) -> list[Tensor]:
        return self.conv.remember(n, height, width)

    def step(self, x: Tensor, memory: list[Tensor], row: int, column: int) -> Tensor:
        self.conv.put(self.down(x), memory, row, column)
        return x + self.out(F.glu(self.conv.at(memory, row, column)))


class AttentionBlock(nn.Module):
    """Residual self-attention on everything drawn before (Chen et al. 2018, arXiv:1712.09763).

    One such block removes the blind spot of the convolutions, which see only a cone of what lies above them.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        n, height, width, channels = x.shape
        parts = self.qkv(self.norm(x)).reshape(n, height * width, 3, self.heads, -1)
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # (n, heads, H * W, d) each
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return x + self.out(y.transpose(1, 2).reshape(n, height, width, channels))

    def remember(self, n: int, height: int, width: int) -> list[Tensor]:
        """The keys and values of the places before."""
        size = (2, n, self.heads, height, width, self.out.in_features // self.heads)
        return [self.out.weight.new_zeros(size)]

    def step(self, x: Tensor, memory: list[Tensor], row: int, column: int) -> Tensor:
        seen = memory[0]
        q, *kv = self.qkv(self.norm(x)).reshape(len(x), 3, self.heads, 1, -1).unbind(1)  # (n, heads, 1, d) each
        seen[:, :, :, row, column] = torch.stack(kv).squeeze(3)
        k, v = seen.flatten(3, 4)[:, :, :, : row * seen.shape[4] + column + 1]
        y = F.scaled_dot_product_attention(q, k, v)  # (n, heads, 1, d)
        return x + self.out(y.reshape(len(x), -1))


@final
class PixelCNN(Learns, Refines, Density, Surprises, Completes):
    """Draws a picture patch by patch in reading order, each with a probability given all patches before it.

    The picture is cut into small patches; all values a patch can take are the classes of one softmax, so that the
    probability of the picture is an exact product. With 2x2 black-and-white patches there are 16 classes, and the
    network works on a grid of a quarter of the pixels, where wide convolutions are fast.

    Warning:
        Pictures are quantised to ``levels`` greys: training draws black or white with the grey as probability, while
        ``log_prob`` cuts at one half.

    References:
        Van den Oord, Kalchbrenner and Kavukcuoglu 2016, arXiv:1601.06759 (masked convolutions); van den Oord et al.
        2016, arXiv:1606.05328 (gates); Chen et al. 2018, arXiv:1712.09763 (attention among causal convolutions).

    Args:
        shape: one picture, (channels, height, width); height and width must be multiples of ``patch``.
        patch: side of a patch in pixels.
        levels: grey levels of a pixel, a divisor of 256; a patch has ``levels ** (patch * patch * channels)`` states.
        channels: width of the network.
        inner: channels on which the gated convolutions work.
        layers: gated convolutions after the first.
        rows: height of their kernels, the row of the place itself included.
        reach: how far their kernels reach to either side.
        attend_every: an attention block follows after every so many convolutions.
        heads: attention heads.

    Example:
        >>> PixelCNN.tiny().sample(Rng(17, 2)).shape
        torch.Size([2, 1, 8, 8])
    """

    cannot: ClassVar[dict[str, str]] = {
        "Encodes": "a PixelCNN has no latent: it goes straight from the pixels drawn so far to the next ones",
        "Decodes": "a PixelCNN has no latent: all its randomness enters pixel by pixel while it draws",
        "Reconstructs": "a PixelCNN has no latent that a picture could be squeezed into and come back from",
        "Denoises": "a PixelCNN has learnt to continue a picture, not to clean one",
    }
    about: ClassVar[About] = About(
        title="PixelCNN",
        line="Writes a picture like a sentence: the next little patch, given all before it.",
        intuition=(
            "Cover a picture with a sheet of paper and pull it down slowly: what comes next can often be guessed from "
            "what is already visible. The network makes that guess as odds for every possible next patch, and "
            "rolling dice with these odds again and again draws a whole new picture."
        ),
        pros=(
            "It gives exact probabilities, trains as calmly as a classifier, and for a long time held the records in "
            "likelihood. Local strokes and edges come out crisp."
        ),
        cons=(
            "Drawing is slow, because every patch has to wait for the one before it. There is no latent code to turn "
            "or to interpolate, and an early slip cannot be taken back."
        ),
        training=(
            "All patches of a training picture are guessed at once: masks hide from every guess what comes later. The "
            "loss is the surprise at the true patch, summed over the picture, and it is the exact negative "
            "log-likelihood."
        ),
        latent="It has none. What a picture is about is spread over the pixels drawn so far.",
        sampling=(
            "Patch by patch in reading order, from top left to bottom right: read the odds, roll the dice, go on. "
            "What has been computed for earlier patches is kept, so that each new patch costs only its own small share."
        ),
        density=(
            "One pass through the network gives the odds of every patch given those before it; their product is the "
            "probability of the picture, exactly."
        ),
        paper="van den Oord, Kalchbrenner and Kavukcuoglu 2016, Pixel Recurrent Neural Networks",
        arxiv="1601.06759",
    )
    completing: ClassVar[str] = IN_ORDER
    places: Tensor

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        patch: int = 2,
        levels: int = 2,
        channels: int = 96,
        inner: int = 48,
        layers: int = 6,
        rows: int = 2,
        reach: int = 2,
        attend_every: int = 3,
        heads: int = 2,
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.patches = Patches(shape, patch, levels)
        self.grid = self.patches.grid
        embedding = min(self.patches.states, 16)
        self.embed = nn.Embedding(self.patches.states, embedding)
        self.first = CausalConv(embedding, channels, rows=4, reach=3, strict=True)
        self.position = nn.Parameter(0.02 * torch.randn(*self.grid, channels))
        self.blocks = nn.ModuleList()
        for i in range(layers):
            self.blocks.append(GatedBlock(channels, inner, rows, reach))
            if (i + 1) % attend_every == 0:
                self.blocks.append(AttentionBlock(channels, heads))
        self.head = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, self.patches.states))

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), channels=8, inner=4, layers=2, attend_every=2, heads=2)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Negative log-likelihood in nats per picture; black and white are drawn anew from the greys in every step."""
        if self.patches.levels == 2:
            x = (torch.rand(x.shape, generator=generator, device=x.device) < x).float()
        nats = -self._log_likelihood(x).mean()
        return {"nats": nats, "bits per dim": nats.detach() / (x[0].numel() * 0.6931)}

    def log_prob(self, x: Tensor, rng: Rng) -> LogProb:
        """Exact. Black and white by a cut at one half; coarser greys than 256 are spread evenly over the 8-bit ones."""
        nats = self._log_likelihood(x) - self.patches.grain * x[0].numel()
        return LogProb(nats, "exact", self.patches.measure)

    @torch.no_grad()
    def surprise(self, x: Tensor) -> Tensor:
        tokens = self.patches.tokens(x)
        return self.patches.surprise(self.logits(tokens), tokens)

    def refine(
        self,
        rng: Rng,
        *,
        temperature: Annotated[
            float, Slider(0.1, 1.5, 0.05, help="below 1 safer and smoother pictures, above 1 wilder ones")
        ] = 1.0,
    ) -> Iterator[State]:
        """The picture after every row of patches; rows still to be drawn are mid-grey."""
        height, width = self.grid
        uniforms = rng.uniform(height, width)
        tokens = torch.zeros(len(rng), height, width, dtype=torch.int64, device=self.device)
        memory = self._remember(len(rng))
        for row in range(height):
            self._draw_row(row, tokens, memory, uniforms, temperature)
            x = self.patches.pixels(tokens)
            x[:, :, (row + 1) * self.patches.patch :] = 0.5
            yield State(x, row + 1, height, f"row {row + 1} of {height}")

    def complete(
        self,
        x: Tensor,
        known: Tensor,
        rng: Rng,
        *,
        temperature: Annotated[float, Slider(0.1, 1.5, 0.05, help="below 1 safer endings, above 1 wilder ones")] = 1.0,
    ) -> Iterator[State]:
        """The picture after every row of patches; what is known of a patch rules out the states that differ."""
        height, width = self.grid
        allowed = self.patches.allowed(x, known)
        uniforms = rng.uniform(height, width)
        tokens = torch.zeros(len(rng), height, width, dtype=torch.int64, device=self.device)
        memory = self._remember(len(rng))
        for row in range(height):
            self._draw_row(row, tokens, memory, uniforms, temperature, allowed[:, row])
            new = self.patches.pixels(tokens)
            new[:, :, (row + 1) * self.patches.patch :] = 0.5
            yield State(torch.where(known, x, new), row + 1, height, f"row {row + 1} of {height}")

    @torch.no_grad()
    def sample_naively(self, rng: Rng, temperature: float = 1.0) -> Tensor:
        """What ``sample`` draws, without its memory: the whole network is run anew for every patch."""
        height, width = self.grid
        uniforms = rng.uniform(height, width)
        tokens = torch.zeros(len(rng), height, width, dtype=torch.int64, device=self.device)
        for row in range(height):
            for column in range(width):
                logits = self.logits(tokens)[:, row, column]
                tokens[:, row, column] = pick(logits, uniforms[:, row, column], temperature)
        return self.patches.pixels(tokens)

    def logits(self, tokens: Tensor) -> Tensor:
        """Scores (n, H, W, states) of every patch, each from the patches (n, H, W) before it in reading order."""
        x = self.first(self.embed(tokens)) + self.position  # (n, H, W, channels)
        for block in self.blocks:
            x = block(x)
        return self.head(x)

    def _log_likelihood(self, x: Tensor) -> Tensor:
        tokens = self.patches.tokens(x)
        scores = self.logits(tokens).flatten(0, 2)  # (n * H * W, states)
        return -F.cross_entropy(scores, tokens.flatten(), reduction="none").reshape(len(x), -1).sum(1)

    @torch.no_grad()
    def _remember(self, n: int) -> list[list[Tensor]]:
        return [layer.remember(n, *self.grid) for layer in (self.first, *self._layers())]

    def _layers(self) -> list[GatedBlock | AttentionBlock]:
        return cast("list[GatedBlock | AttentionBlock]", list(self.blocks))

    @torch.no_grad()
    def _draw_row(
        self,
        row: int,
        tokens: Tensor,
        memory: list[list[Tensor]],
        uniforms: Tensor,
        temperature: float,
        allowed: Tensor | None = None,
    ) -> None:
        """Draw one row of ``tokens`` in place; every layer computes one place at a time from what it remembers.

        Only symbols that are ``allowed``, (n, W, states), are drawn; all of them if None.
        """
        layers = self._layers()
        for column in range(self.grid[1]):
            x = self.first.at(memory[0], row, column) + self.position[row, column]  # (n, channels)
            for block, kept in zip(layers, memory[1:], strict=True):
                x = block.step(x, kept, row, column)
            scores = self.head(x)
            if allowed is not None:
                scores = scores.masked_fill(~allowed[:, column], -torch.inf)
            drawn = pick(scores, uniforms[:, row, column], temperature)
            tokens[:, row, column] = drawn
            self.first.put(self.embed(drawn), memory[0], row, column)
