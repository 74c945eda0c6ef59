"""Distribution matching distillation (Yin et al. 2024, arXiv:2405.14867): a flow's student that draws in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import About, Decodes, Distils, Model, Refines, State
from playground.families.layers import classes_of
from playground.families.picture_flow import PictureFlow
from playground.knobs import ANY, Label, Refused, Slider
from playground.rng import Rng

ORDER = 68  # among the families on a page

UNLABELLED = 0.1  # of the pictures drawn in training, for which the class is not told
LATER = 0.4  # of them start from a noisy picture instead of noise: what the second to fourth step do
LATEST = 0.8  # the time of the least noisy of these
EARLY, LATE = 0.02, 0.98  # times between which teacher and critic look at what was drawn
FOOLING = 0.1  # weight of the judge, for the student


@final
class FewStep(Distils, Refines, Decodes):
    """A velocity whose single step, from noise to picture, draws as its teacher does in many.

    What the student draws is noised again, to a random time, and shown to two flows: the teacher, which knows the
    velocity for real pictures, and a critic, which learns that for the student's. Their difference says where real
    pictures are denser than the student's, and the student goes there (Yin et al. 2023, arXiv:2311.18828, equation 7).
    In addition a judge, on the critic's coarse features, tells noised drawings from noised data (Yin et al. 2024,
    section 4.3). Between two steps noise is added anew (section 4.4).

    Student and critic start as copies of the teacher; only the student is stored.

    Args:
        shape: one picture, (channels, height, width), as the teacher's.
        classes: how many classes; one more index stands for "any".
        width: of the U-Nets, at half the size.
        deep: at a quarter of it.
        blocks: their residual blocks between the way down and the way up.
        norm_groups: of their group normalisations.
        power: of a grey level's frequency, with which its share grows.
        guidance: towards the class, with which the teacher is followed; 1 is the teacher itself.

    Reference:
        Yin, Gharbi, Park, Zhang, Shechtman, Durand and Freeman 2024, Improved Distribution Matching Distillation for
        Fast Image Synthesis, arXiv:2405.14867.

    Example:
        >>> FewStep().sample(Rng(0, 2), steps=1, label="3").shape
        torch.Size([2, 1, 28, 28])
    """

    cannot = {
        "Encodes": "it only learnt the way from noise to pictures; its teacher's flow also runs backwards",
        "Reconstructs": "it only learnt the way from noise to pictures; its teacher's flow also runs backwards",
        "Density": "a single step is not a flow that could be run backwards; its teacher has a likelihood",
    }
    about = About(
        title="Few-step student",
        line="Draws in one step what its teacher draws in fifty.",
        intuition="A flow or diffusion model walks from noise to a picture in many small steps. A student watches where"
        " such a teacher would push each of its drawings, and where a critic, who knows the student's own habits,"
        " would: the difference between the two is what it should do otherwise. In the end one leap is enough.",
        pros="As quick as a GAN, with the teacher's guidance in training in place of a pure game. Two or four steps"
        " instead of one trade some of the speed for quality.",
        cons="It needs a trained teacher and three networks in training. No likelihood, no way back from a picture to"
        " its noise, and some of the teacher's variety can be lost.",
        training="Draw pictures, add noise, and ask teacher and critic for the clean picture. Move the drawing along"
        " the difference of the two answers, away from the judge's suspicion; then teach the critic and the judge on"
        " the new drawings.",
        latent="Yes: the noise, as large as the picture, from which the one step starts.",
        sampling="One pass of the network turns noise into a picture. For each further step, mix the picture with new"
        " noise, less each time, and draw again.",
        density="None.",
        paper="Yin, Gharbi, Park, Zhang, Shechtman, Durand and Freeman 2024, Improved Distribution Matching"
        " Distillation for Fast Image Synthesis",
        arxiv="2405.14867",
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
        guidance: float = 1.0,
    ) -> None:
        super().__init__()
        self.shape = self.latent = tuple(shape)
        self.guidance = guidance
        self.student = PictureFlow(shape, classes, width, deep, blocks, norm_groups, power)
        self.critic = PictureFlow(shape, classes, width, deep, blocks, norm_groups, power)
        self.labels = self.student.labels
        self.judge = nn.Sequential(nn.GroupNorm(norm_groups, deep), nn.SiLU(), nn.Conv2d(deep, 1, 1))
        self.teacher = (self.critic,)  # until one comes; out of the module's sight, to be neither trained nor stored

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), classes=3, width=8, deep=8, blocks=1, norm_groups=4)

    def weights(self) -> nn.Module:
        return self.student

    def players(self) -> dict[str, list[nn.Parameter]]:
        return {
            "student": list(self.student.parameters()),
            "critic": [*self.critic.parameters(), *self.judge.parameters()],
        }

    def learn_from(self, teacher: Model) -> None:
        """Start from the teacher's weights, and follow its velocity."""
        if not isinstance(teacher, PictureFlow):
            raise Refused(
                f"A few-step student learns from flow matching on pictures, not from {type(teacher).__name__}."
            )
        weights = teacher.state_dict()
        if {k: v.shape for k, v in weights.items()} != {k: v.shape for k, v in self.student.state_dict().items()}:
            raise Refused("A few-step student needs the same shape, classes and sizes as its teacher.")
        self.student.load_state_dict(weights)
        self.critic.load_state_dict(weights)
        self.teacher = (teacher.eval().requires_grad_(False),)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """For the student, the matching of distributions and the judge's suspicion; for the critic, both their errors.

        The first term's value says nothing: only its gradient is meant.
        """
        hidden = torch.rand(len(x), generator=generator, device=x.device) < UNLABELLED
        label = torch.where(hidden, len(self.labels), label)
        real, _ = self.student.greys.normal(x, torch.rand(x.shape, generator=generator, device=x.device))
        noise = torch.randn(x.shape, generator=generator, device=x.device)
        again = torch.randn(x.shape, generator=generator, device=x.device)
        later, start, t = torch.rand(3, len(x), generator=generator, device=x.device)
        start = torch.where(later < LATER, LATEST * start, 0.0)
        t = EARLY + (LATE - EARLY) * t
        with torch.set_grad_enabled(player == "student"):
            drawn = self.jump(_between(noise, real, start), start, label)
        seen = _between(again, drawn, t)
        for opponent in (self.critic, self.judge):
            opponent.requires_grad_(player == "critic")  # a third of the student's time goes into gradients else
        if player == "student":
            return self._lead(drawn, seen, t, label)
        velocity, coarse = self.critic.look(seen, t, label)
        mse = F.mse_loss(velocity, drawn - again)
        truth = self.judge(self.critic.look(_between(again, real, t), t, label)[1])
        judged = F.softplus(self.judge(coarse)).mean() + F.softplus(-truth).mean()
        return {"loss": mse + judged, "mse": mse, "judge": judged}

    def jump(self, x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        """From points (n, *shape) at times (n,) to pictures' normal variables, in one pass."""
        return x + (1 - t[:, None, None, None]) * self.student.velocity(x, t, label)

    @torch.no_grad()
    def refine(
        self,
        rng: Rng,
        *,
        label: Annotated[str, Label()] = ANY,
        steps: Annotated[int, Slider(1, 4, help="network passes; more is finer")] = 1,
    ) -> Iterator[State]:
        """Jumps from noise to a picture; before each further step it is mixed with new noise."""
        classes = classes_of(rng, self.labels, label)
        x = rng.normal(*self.shape)
        for done in range(1, steps + 1):
            t = x.new_full((len(x),), (done - 1) / steps)
            if done > 1:
                x = _between(rng.normal(*self.shape), x, t)
            x = self.jump(x, t, classes)
            yield State(self.student.greys.picture(x), done, steps, f"step {done}")

    def decode(self, z: Tensor, **knobs: Any) -> Tensor:
        """Pictures of noise (n, *shape), for any class, in one step."""
        label = torch.full((len(z),), len(self.labels), device=z.device)
        return self.student.greys.picture(self.jump(z, z.new_zeros(len(z)), label))

    def _lead(self, drawn: Tensor, seen: Tensor, t: Tensor, label: Tensor) -> dict[str, Tensor]:
        """The student's losses for what it has drawn, as it is ``seen`` at times t."""
        velocity, coarse = self.critic.look(seen, t, label)
        with torch.no_grad():
            rest = 1 - t[:, None, None, None]
            true = seen + rest * self.teacher[0].guided(seen, t, label, self.guidance)
            push = seen + rest * velocity - true
            push = push / (drawn - true).abs().mean((1, 2, 3), keepdim=True).clamp(min=1e-3)
        matching = (drawn * push).mean()
        fooling = F.softplus(-self.judge(coarse)).mean()
        return {"loss": matching + FOOLING * fooling, "push": push.square().mean(), "fooling": fooling}


def _between(noise: Tensor, x: Tensor, t: Tensor) -> Tensor:
    """The points of the lines from noise to data, (n, *shape) both, at times (n,)."""
    return noise.lerp(x, t[:, None, None, None])
