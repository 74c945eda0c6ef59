"""From outlines to pictures by a conditional GAN (Isola et al. 2017, arXiv:1611.07004), many for one outline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import Learns, State, Translates
from playground.families.gan import GAN, Discriminator, penalised
from playground.families.layers import picture_critic
from playground.families.unet import Block
from playground.knobs import ANY, Label, Slider
from playground.outlines import Hand, outline
from playground.rng import Rng

ORDER = 42  # among the families on a page

UNLABELLED = 0.4  # of the training pictures, for which nobody is told the class
REBUILT = 10.0  # the weight of the mean absolute error of pictures drawn anew from their own codes
CODED = 0.01  # of the codes' divergence from the standard normal, in nats
FOUND = 0.5  # of the mean absolute error of codes read from what was drawn by them (all three: Zhu et al., section 4)


class Painter(nn.Module):
    """Outlines (n, 1, h, w) and what it is told, (n, told), to log-odds of pixels (n, channels, h, w).

    A U-Net (Ronneberger et al. 2015, arXiv:1505.04597) of residual blocks at half and at a quarter of the size.
    """

    def __init__(self, channels: int, told: int, width: int, deep: int, norm_groups: int) -> None:
        super().__init__()
        self.tell = nn.Sequential(nn.Linear(told, 2 * deep), nn.SiLU())
        self.enter = nn.Conv2d(4, width, 3, padding=1)
        self.down = Block(width, width, 2 * deep, norm_groups)
        self.shrink = nn.Conv2d(width, deep, 3, stride=2, padding=1)
        self.coarse = nn.ModuleList(Block(deep, deep, 2 * deep, norm_groups) for _ in range(2))
        self.grow = nn.Conv2d(deep, 4 * width, 1)
        self.up = Block(2 * width, width, 2 * deep, norm_groups)
        self.answer = nn.Conv2d(width, 4 * channels, 3, padding=1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, sketch: Tensor, told: Tensor) -> Tensor:
        told = self.tell(told)
        h = F.pixel_unshuffle(2 * sketch - 1, 2).contiguous(memory_format=torch.channels_last)
        fine = self.down(self.enter(h), told)
        h = self.shrink(fine)
        for block in self.coarse:
            h = block(h, told)
        h = self.up(torch.cat([F.pixel_shuffle(self.grow(h), 2), fine], 1), told)
        return F.pixel_shuffle(self.answer(F.silu(h)), 2)


@final
class OutlineGAN(Learns, Translates):
    """A painter of outlines, and a discriminator that sees outline and picture together.

    The painter of Isola et al. gives one picture per outline, since being as near as possible to the true one leaves no
    choice. Here it is told a short code besides, and there is an encoder, as in BicycleGAN (Zhu et al. 2017,
    arXiv:1711.11586): half of a batch is drawn by the true pictures' own codes and must be like them (their equation
    6), the other half by random codes, which must be found again in what was drawn (equation 7). The discriminator is
    that of ``GAN`` with its penalty, and projects on the class as ``ConditionalGAN``'s. Training makes the outlines of
    its pictures anew at every step, as a shaky hand would draw them. Only the painter is stored.

    Args:
        shape: one picture, (channels, height, width), sides divisible by four.
        labels: the classes, by name; one more stands for "any".
        code: numbers that say what the outline leaves open.
        width: of the painter and the discriminator, at half the size.
        deep: of the painter at a quarter of it.
        hidden: units of a dense layer in the discriminator.
        norm_groups: of the painter's group normalisations.
        penalty: on the squared slope of the discriminator at real pictures, gamma of R1.
        paper: the brightness of the pictures' background, 0 or 1.

    Reference:
        Isola, Zhu, Zhou and Efros 2017, Image-to-Image Translation with Conditional Adversarial Networks,
        arXiv:1611.07004.

    Example:
        >>> *_, last = OutlineGAN().translate(torch.zeros(2, 1, 28, 28), Rng(0, 2))
        >>> last.x.shape
        torch.Size([2, 1, 28, 28])
    """

    cannot = {
        "Samples": "it draws from an outline only: give it one on the Sketch page",
        "Refines": "it draws from an outline only, and in a single pass",
        **{name: reason for name, reason in GAN.cannot.items() if name != "Refines"},
    }
    about = replace(
        GAN.about,
        title="GAN from outlines (pix2pix)",
        line="A forger fills in your outline; the detective sees both and must not be able to tell.",
        intuition="One network paints a picture into an outline. Another sees outline and picture side by side, and"
        " tries to tell painted from real: a picture that ignores its outline is found out as quickly as a bad one. A"
        " few random numbers say what the outline leaves open, such as the cloth.",
        pros="An outline becomes a sharp picture in a single fast pass, quick enough to follow the pen.",
        cons="Training is a game that needs balance. Pictures of one outline differ less than they could, and nothing"
        " says how probable one is.",
        training="Outlines are found in the pictures by their edges, then bent, thickened, thinned and broken at"
        " random. The detective learns to tell real pairs from painted ones, the forger to be taken for real. A third"
        " network reads codes from pictures: by its own code a picture must be painted as it was, and a random code"
        " must be found again in what it led to, so that codes cannot be ignored.",
        latent="Yes: a code of a few numbers, standard normal, for all that the outline leaves open.",
        sampling="Draw a code and pass it through the painter with the outline, once.",
        paper="Isola, Zhu, Zhou and Efros 2017, Image-to-Image Translation with Conditional Adversarial Networks",
        arxiv="1611.07004",
    )

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        labels: Sequence[str] = tuple("0123456789"),
        code: int = 8,
        width: int = 32,
        deep: int = 64,
        hidden: int = 256,
        norm_groups: int = 8,
        penalty: float = 0.5,
        paper: float = 0.0,
    ) -> None:
        super().__init__()
        self.shape, self.labels, self.code, self.penalty, self.paper = tuple(shape), tuple(labels), code, penalty, paper
        told = code + len(labels) + 1
        self.generator = Painter(shape[0], told, width, deep, norm_groups)
        self.discriminator = Discriminator((1 + shape[0], *shape[1:]), width, hidden, 2 + len(labels))
        size = 2 * width * (shape[1] // 4) * (shape[2] // 4)
        self.encoder = nn.Sequential(picture_critic(shape, width), nn.Flatten(), nn.Linear(size, 2 * code))

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), labels=("one", "two", "three"), code=3, width=4, deep=4, hidden=4, norm_groups=2)

    def weights(self) -> nn.Module:
        """The painter: the others have done their work."""
        return self.generator

    def players(self) -> dict[str, list[nn.Parameter]]:
        return {
            "discriminator": list(self.discriminator.parameters()),
            "generator": [*self.generator.parameters(), *self.encoder.parameters()],
        }

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The discriminator's cross-entropy and penalty, or the painter's cross-entropy and what codes cost."""
        sketch = self.outline_by_hand(x, generator)
        untold = torch.rand(len(x), generator=generator, device=x.device) < UNLABELLED
        label = torch.where(untold, len(self.labels), label)
        noise = torch.randn(len(x), self.code, generator=generator, device=x.device)
        if player == "generator":
            return self._paint(x, sketch, label, noise)
        with torch.no_grad():
            forged = self.draw(sketch, noise, label)
        return penalised(lambda pictures: self.log_odds(pictures, sketch, label), x, forged, self.penalty, generator)

    def _paint(self, x: Tensor, sketch: Tensor, label: Tensor, noise: Tensor) -> dict[str, Tensor]:
        half = len(x) // 2
        mean, log_variance = self.encoder(x[:half]).chunk(2, 1)
        code = torch.cat([torch.addcmul(mean, (log_variance / 2).exp(), noise[:half]), noise[half:]])
        drawn = self.draw(sketch, code, label)
        fooled = F.softplus(-self.log_odds(drawn, sketch, label)).mean()
        rebuilt = F.l1_loss(drawn[:half], x[:half])
        nats = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
        still = {name: value.detach() for name, value in self.encoder.named_parameters()}  # else it would help to cheat
        read = torch.func.functional_call(self.encoder, still, (drawn[half:],))[:, : self.code]
        found = F.l1_loss(read, noise[half:])
        total = fooled + REBUILT * rebuilt + CODED * nats + FOUND * found
        return {"generator": total, "fooled": fooled, "rebuilt": rebuilt, "nats": nats, "found": found}

    def log_odds(self, x: Tensor, sketch: Tensor, y: Tensor) -> Tensor:
        """Log-odds of being real, and of the outline and the class, (n,), of pictures with outlines and classes."""
        common, own = self.discriminator(torch.cat([x, sketch], 1)).split([1, 1 + len(self.labels)], 1)
        return (common + own.gather(1, y[:, None])).squeeze(1)

    def draw(self, sketch: Tensor, code: Tensor, y: Tensor) -> Tensor:
        """Pictures (n, *shape) in [0, 1] of outlines (n, 1, h, w), codes (n, code) and class indices (n,)."""
        told = torch.cat([code, F.one_hot(y, 1 + len(self.labels)).to(code.dtype)], 1)
        return self.generator(sketch, told).sigmoid()

    @torch.no_grad()
    def translate(
        self,
        sketch: Tensor,
        rng: Rng,
        *,
        label: Annotated[str, Label(help="what the outline is of; any: let it guess")] = ANY,
        temperature: Annotated[float, Slider(0.0, 1.5, 0.05, help="how far codes stray")] = 1.0,
    ) -> Iterator[State]:
        """One pass of the painter."""
        index = len(self.labels) if label == ANY else self.labels.index(label)
        y = torch.full((len(sketch),), index, device=sketch.device)
        yield State(self.draw(sketch, temperature * rng.normal(self.code), y), 1, 1, "painted")

    def outline(self, x: Tensor) -> Tensor:
        return outline(x, self.paper)

    def outline_by_hand(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return outline(x, self.paper, Hand.shaky(x, generator))
