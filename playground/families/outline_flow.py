"""Flow matching from outlines to pictures (Lipman et al. 2023, arXiv:2210.02747), guided by the outline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, final

import torch
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import Learns, State, Translates
from playground.families import ode
from playground.families.greys import Greys
from playground.families.picture_flow import PictureFlow
from playground.families.unet import UNet
from playground.knobs import ANY, Choice, Label, Slider
from playground.outlines import Hand, outline
from playground.rng import Rng

ORDER = 65  # among the families on a page

BLANK = 0.1  # of the training outlines, in whose place is empty paper: what guidance leads away from
UNLABELLED = 0.4  # of the training pictures, for which the class is not told; all those of empty paper among them


@final
class OutlineFlow(Learns, Translates):
    """A velocity v(x, t; outline, class) that carries the standard normal at t = 0 to pictures of an outline at t = 1.

    ``PictureFlow``'s velocity and its network, which sees the outline besides: two convolutions of it are added to what
    the network first sees of the picture. They begin at zero, so that a run may begin with the weights of a
    ``PictureFlow``. Outline and class are guided without a classifier (Ho and Salimans 2022, arXiv:2207.12598, equation
    6). Training makes the outlines of its pictures anew at every step, as a shaky hand would draw them.

    Args:
        shape: one picture, (channels, height, width), sides divisible by four.
        classes: how many classes; one more index stands for "any".
        width: of the U-Net, at half the size.
        deep: at a quarter of it.
        blocks: its residual blocks between the way down and the way up.
        norm_groups: of its group normalisations.
        power: of a grey level's frequency, with which its share grows.
        paper: the brightness of the pictures' background, 0 or 1.

    Reference:
        Lipman, Chen, Ben-Hamu, Nickel and Le 2023, Flow Matching for Generative Modeling, arXiv:2210.02747.

    Example:
        >>> *_, last = OutlineFlow().translate(torch.zeros(2, 1, 28, 28), Rng(0, 2), steps=5)
        >>> last.x.shape
        torch.Size([2, 1, 28, 28])
    """

    cannot = {
        "Samples": "it draws from an outline only: give it one on the Sketch page",
        "Refines": "it draws from an outline only: give it one on the Sketch page",
        "Density": "how probable a picture is depends on its outline, and no page asks for that yet",
    }
    about = replace(
        PictureFlow.about,
        title="Flow matching from outlines",
        line="Follows a wind from noise to a picture, and your outline steers the wind.",
        intuition="As in flow matching, a network learns which way to blow noise so that it becomes a picture. It is"
        " shown the picture's outline all along, drawn by a machine that imitates a shaky hand, and so learns to end"
        " at a picture which has that outline. Other noise gives another picture of the same outline.",
        pros="Training is plain regression: quick and stable. One outline gives many different pictures, since nothing"
        " asks for an average; and how closely the outline is followed can be turned up.",
        cons="A picture takes many passes of the network, twice as many when it is guided.",
        training="Outlines are found in the pictures by their edges, then bent, thickened, thinned and broken at"
        " random. Given one, a noise and a time, the network must answer the difference of picture and noise. One"
        " outline in ten is left blank.",
        latent="Yes: the noise at the start of the path, as large as the picture, which then says all that the outline"
        " leaves open.",
        sampling="Draw noise and follow the velocity from time 0 to time 1 in small steps, outline in hand.",
        density="Not offered: the flow could be followed back as in flow matching, but only with the outline known.",
    )

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        width: int = 48,
        deep: int = 96,
        blocks: int = 2,
        norm_groups: int = 8,
        power: float = 0.5,
        paper: float = 0.0,
    ) -> None:
        super().__init__()
        self.shape, self.paper = tuple(shape), paper
        self.labels = tuple(str(i) for i in range(classes))
        self.greys = Greys(power)
        self.net = UNet(shape[0], classes, width, deep, blocks, norm_groups=norm_groups)
        last = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        hint = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4, width, 3, padding=1), nn.SiLU(), last)
        self.hint = hint.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), classes=3, width=8, deep=8, blocks=1, norm_groups=4)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Mean squared error of the velocity, per pixel."""
        self.greys.look(x)
        n, device = len(x), x.device
        sketch = self.outline_by_hand(x, generator)
        offset, hidden = torch.rand(2, n, generator=generator, device=device)
        t = (torch.arange(n, device=device) + offset[0]) / n  # spread evenly over the line
        label = torch.where(hidden < UNLABELLED, len(self.labels), label)
        sketch = sketch * (hidden >= BLANK)[:, None, None, None]
        x, _ = self.greys.normal(x, torch.rand(x.shape, generator=generator, device=device))
        noise = torch.randn(x.shape, generator=generator, device=device)
        velocity = x - noise
        error = self.velocity(noise + t[:, None, None, None] * velocity, t, label, self.hint(sketch)) - velocity
        return {"mse": error.square().mean()}

    def velocity(self, x: Tensor, t: Tensor, label: Tensor, hint: Tensor) -> Tensor:
        """The velocity at points (n, *shape), times and class indices, (n,) each, and ``self.hint`` of outlines."""
        at = t[:, None, None, None]
        size = (at.square() + (1 - at).square()).sqrt()
        y = x / size
        return ((2 * at - 1) * y + self.net(y, 2 * t[:, None] - 1, label, hint)) / size

    def flow(self, sketch: Tensor, label: Tensor, scale: float) -> ode.Velocity:
        """The velocity as a function of points and one time, led away by ``scale`` from that of empty paper."""
        free = torch.full_like(label, len(self.labels))
        both, hints = torch.cat([free, label]), self.hint(torch.cat([torch.zeros_like(sketch), sketch]))
        hint = hints[len(sketch) :]

        def velocity(x: Tensor, t: float) -> Tensor:
            if scale == 1:
                return self.velocity(x, x.new_full((len(x),), t), label, hint)
            unled, led = self.velocity(x.repeat(2, 1, 1, 1), x.new_full((2 * len(x),), t), both, hints).chunk(2)
            return unled + scale * (led - unled)

        return velocity

    @torch.no_grad()
    def translate(
        self,
        sketch: Tensor,
        rng: Rng,
        *,
        label: Annotated[str, Label(help="what the outline is of; any: let it guess")] = ANY,
        steps: Annotated[int, Slider(1, 100, help="steps from noise to picture")] = 8,
        solver: Annotated[
            str, Choice("Euler", "midpoint", "Heun", "RK4", help="takes 1, 2, 2 or 4 network passes a step")
        ] = "midpoint",
        guidance_scale: Annotated[
            float, Slider(1.0, 6.0, 0.1, help="1 is the model itself; more keeps closer to the outline and the class")
        ] = 1.4,
    ) -> Iterator[State]:
        """Follows the velocity in equal steps of time."""
        index = len(self.labels) if label == ANY else self.labels.index(label)
        velocity = self.flow(sketch, torch.full((len(sketch),), index, device=sketch.device), guidance_scale)
        times = [k / steps for k in range(steps + 1)]
        for done, x in enumerate(ode.follow(velocity, rng.normal(*self.shape), times, solver), 1):
            yield State(self.greys.picture(x), done, steps, f"t = {done / steps:.2f}")

    def outline(self, x: Tensor) -> Tensor:
        return outline(x, self.paper)

    def outline_by_hand(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return outline(x, self.paper, Hand.shaky(x, generator))
