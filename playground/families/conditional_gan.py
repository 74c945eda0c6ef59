"""The conditional GAN (Mirza and Osindero 2014, arXiv:1411.1784), whose discriminator projects on the class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import Completes, Decodes, Learns, Samples, State
from playground.families.codes import FOUND, completed, likeness
from playground.families.gan import GAN, Discriminator, penalised
from playground.families.layers import picture_generator
from playground.knobs import ANY, Label, Slider
from playground.rng import Rng

ORDER = 41  # among the families on a page


@final
class ConditionalGAN(Learns, Samples, Decodes, Completes):
    """A generator and a discriminator that are both told the class.

    The generator gets it beside its noise. The discriminator's log-odds are a common part, plus the features' product
    with a vector of the class (Miyato and Koyama 2018, arXiv:1802.05637, equation 3): a picture of the wrong class is
    as bad as a forged one. The loss and the penalty are the GAN's. Only the generator is stored.

    A code is a number for each class and then the noise; where no class is named, it is the one of the largest number.

    Args:
        shape: one picture, (channels, height, width), sides divisible by four.
        labels: the classes, by name.
        latent: the size of the noise, which is left to say everything but the class.
        width: channels at half size; twice as many at quarter size.
        hidden: units of a dense layer beside the convolutions of each player; 0 for none.
        penalty: on the squared slope of the discriminator at real pictures, gamma of R1.

    Reference:
        Mirza and Osindero 2014, Conditional Generative Adversarial Nets, arXiv:1411.1784.

    Example:
        >>> ConditionalGAN().sample(Rng(0, 2), label="3").shape
        torch.Size([2, 1, 28, 28])
    """

    cannot = GAN.cannot
    about = replace(
        GAN.about,
        title="Conditional GAN",
        line="A forger takes orders: the detective knows what was ordered, and looks for that too.",
        intuition="As in a GAN, one network forges and another tries to tell forgeries from the real thing, but both"
        " are told what the picture should show. A perfect shoe is found out at once if a coat was ordered.",
        pros="You choose the class. Sharp pictures in a single fast pass; and knowing the class makes the game easier,"
        " so that no class is left out.",
        cons="Training needs a label for every picture. Within a class it may still draw only a few kinds, and no"
        " number says how probable a picture is.",
        training="In turns: the detective, told each picture's class, learns to tell real from forged, then the forger"
        " learns to be taken for real.",
        latent="Yes: the class, and the noise, which then means style: the same noise gives different classes a similar"
        " look. There is no encoder that finds the noise of a given picture.",
        sampling="Choose the class, draw a noise vector from the standard normal, and pass both through the generator,"
        " once.",
        paper="Mirza and Osindero 2014, Conditional Generative Adversarial Nets",
        arxiv="1411.1784",
    )

    completing = FOUND

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        labels: Sequence[str] = tuple("0123456789"),
        latent: int = 64,
        width: int = 32,
        hidden: int = 256,
        penalty: float = 0.25,
    ) -> None:
        super().__init__()
        self.shape, self.labels, self.penalty = tuple(shape), tuple(labels), penalty
        self.latent = (len(labels) + latent,)
        self.generator = picture_generator(len(labels) + latent, shape, width, hidden)
        self.discriminator = Discriminator(shape, width, hidden, 1 + len(labels))

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), labels=("one", "two", "three"), latent=3, width=2, hidden=4)

    def weights(self) -> nn.Module:
        """The generator: the discriminator has done its work."""
        return self.generator

    def players(self) -> dict[str, list[nn.Parameter]]:
        return {
            "discriminator": list(self.discriminator.parameters()),
            "generator": list(self.generator.parameters()),
        }

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The discriminator's cross-entropy, or the generator's: minus log of being taken for real, as that class."""
        noise = torch.randn(len(x), self.latent[0] - len(self.labels), generator=generator, device=x.device)
        if player == "generator":
            return {"generator": F.softplus(-self.log_odds(self.draw(noise, label), label)).mean()}
        with torch.no_grad():
            forged = self.draw(noise, label)
        return penalised(lambda pictures: self.log_odds(pictures, label), x, forged, self.penalty, generator)

    def log_odds(self, x: Tensor, y: Tensor) -> Tensor:
        """Log-odds of being real, and of the class, (n,), of pictures with class indices (n,)."""
        common, own = self.discriminator(x).split([1, len(self.labels)], 1)
        return (common + own.gather(1, y[:, None])).squeeze(1)

    def draw(self, noise: Tensor, y: Tensor) -> Tensor:
        """Pictures (n, *shape) in [0, 1] of noise (n, size) and class indices (n,)."""
        return self.generator(torch.cat([F.one_hot(y, len(self.labels)).to(noise.dtype), noise], 1)).sigmoid()

    def sample(
        self,
        rng: Rng,
        *,
        label: Annotated[str, Label()] = ANY,
        temperature: Annotated[float, Slider(0.0, 1.5, 0.05, help="how far noise strays")] = 1.0,
    ) -> Tensor:
        code, classes = rng.normal(*self.latent), len(self.labels)
        return self.decode(torch.cat([code[:, :classes], temperature * code[:, classes:]], 1), label=label)

    @torch.no_grad()
    def complete(
        self,
        x: Tensor,
        known: Tensor,
        rng: Rng,
        *,
        label: Annotated[str, Label(help="of which class; any: what the rest suggests")] = ANY,
        steps: Annotated[int, Slider(3, 300, help="in which fitting codes are sought")] = 45,
    ) -> Iterator[State]:
        """By codes, the class in them, whose pictures come near to what is known."""
        decode = partial(self.decode, label=label)
        nats = likeness(decode, x, known)
        yield from completed(nats, decode, x, known, rng, self.latent[0], steps, len(self.labels))

    def decode(
        self, z: Tensor, *, label: Annotated[str, Label(help="which class to draw; any: the code's own")] = ANY
    ) -> Tensor:
        """Pictures (n, *shape) in [0, 1] of codes (n, classes + size of the noise)."""
        own, noise = z[:, : len(self.labels)], z[:, len(self.labels) :]
        y = own.argmax(1) if label == ANY else torch.full_like(own[:, 0], self.labels.index(label), dtype=torch.int64)
        return self.draw(noise, y)
