"""Denoising diffusion (Ho, Jain and Abbeel 2020, arXiv:2006.11239) on diffusers' U-Net, with class guidance."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground import samplers
from playground.capabilities import (
    About,
    Completes,
    Denoises,
    Density,
    Edits,
    Learns,
    LogProb,
    Reconstructs,
    Refines,
    State,
)
from playground.families.inpainting import COMPLETING, filled, noise_of, suggested
from playground.families.layers import classes_of, guided
from playground.knobs import ANY, Choice, Label, Slider
from playground.rng import Rng

ORDER = 70  # among the families on a page

if TYPE_CHECKING:
    from diffusers import SchedulerMixin

Steps = Annotated[int, Slider(1, 250, help="network passes; more is finer")]
Guidance = Annotated[float, Slider(1.0, 6.0, 0.1, help="1 is the model itself; more is more typical of the class")]
SIGMA_MIN, SIGMA_MAX = 0.02, 20.0  # noise levels, on data in [-1, 1], between which our own samplers work
SPREAD = 0.6  # the standard deviation of data in [-1, 1]
SCHEDULE = {"num_train_timesteps": 1000, "beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"}


@final
class Diffusion(Learns, Refines, Reconstructs, Density, Denoises, Completes, Edits):
    """A network that removes noise, applied again and again to pure noise.

    1000 noise levels on a cosine schedule (Nichol and Dhariwal 2021, arXiv:2102.09672, equation 17); the network
    predicts v (Salimans and Ho 2022, arXiv:2202.00512, appendix D), which is noise at low and picture at high noise;
    labels are dropped one time in ten, for classifier-free guidance (Ho and Salimans 2022, arXiv:2207.12598). Pictures
    enter the U-Net with each 2x2 pixels folded into channels: fat convolutions at half the size are faster than thin
    ones.

    Args:
        shape: one picture, (channels, height, width), sides divisible by twice the U-Net's reductions.
        classes: how many classes; one more index stands for "any".
        channels: of the U-Net's levels.
        layers: residual blocks per level.
        norm_groups: of its group normalisations.

    Reference:
        Ho, Jain and Abbeel 2020, Denoising Diffusion Probabilistic Models, arXiv:2006.11239.

    Example:
        >>> model = Diffusion()
        >>> model.sample(Rng(0, 2), steps=5, label="any").shape
        torch.Size([2, 1, 28, 28])
    """

    wants_float64 = True
    about = About(
        title="Diffusion",
        line="Starts from pure noise and removes a little of it, many times.",
        intuition="Drown a picture in noise, little by little, until nothing is left of it. A network learns to undo"
        " one small step. Start from pure noise, undo step after step, and a picture emerges that nobody has seen"
        " before.",
        pros="The best pictures of all families, stable training, and control: a class, a stronger or weaker pull"
        " towards it, fewer or more steps.",
        cons="Slow: every picture takes many passes of the network. The probability is only bounded.",
        training="Take a picture, add a random amount of noise, and let the network guess what was added; the error is"
        " a plain squared difference.",
        latent="Of a kind: the noise it starts from, as large as the picture. The noise-free samplers turn it into the"
        " picture in a reversible way, so pictures can also be turned back into noise.",
        sampling="Draw noise, then alternate guessing the clean picture and stepping a little towards it. DDPM adds"
        " fresh noise at each step; DDIM, Heun and DPM-Solver++ do not, and need fewer steps.",
        density="A lower bound (the variational bound over all noise levels), estimated here at a few random levels.",
        paper="Ho, Jain and Abbeel 2020, Denoising Diffusion Probabilistic Models",
        arxiv="2006.11239",
    )

    completing = COMPLETING
    kept: Tensor

    def __init__(
        self,
        shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        channels: tuple[int, ...] = (48, 64),
        layers: int = 1,
        norm_groups: int = 8,
    ) -> None:
        from diffusers import UNet2DModel  # slow to import: only where it is used

        super().__init__()
        self.shape = self.latent = tuple(shape)
        self.labels = tuple(str(i) for i in range(classes))
        self.unet = UNet2DModel(
            sample_size=(shape[1] // 2, shape[2] // 2),
            in_channels=4 * shape[0],
            out_channels=4 * shape[0],
            block_out_channels=tuple(channels),
            layers_per_block=layers,
            down_block_types=("DownBlock2D",) * len(channels),
            up_block_types=("UpBlock2D",) * len(channels),
            num_class_embeds=classes + 1,
            norm_num_groups=norm_groups,
            attention_head_dim=norm_groups,
        ).to(memory_format=torch.channels_last)
        levels = torch.arange(1, 1001, dtype=torch.float64) / 1000
        cosine = ((levels + 0.008) / 1.008 * math.pi / 2).cos() ** 2
        before = torch.cat([torch.full((1,), math.cos(0.008 / 1.008 * math.pi / 2) ** 2, dtype=torch.float64), cosine])
        betas = (1 - before[1:] / before[:-1]).clamp(max=0.999)
        self.register_buffer("kept", (1 - betas).cumprod(0), persistent=False)  # alpha-bar, (1000,), float64

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 8, 8), classes=3, channels=(8, 8), norm_groups=4)

    def weights(self) -> nn.Module:
        return self.unet

    def sidecars(self) -> dict[str, str]:
        """What lets ``diffusers`` open the folder without this code."""
        keys = dict.fromkeys(self.unet.state_dict(), "model.safetensors")
        size = sum(p.numel() * p.element_size() for p in self.unet.state_dict().values())
        index = {"metadata": {"total_size": size}, "weight_map": keys}
        return {
            "config.json": self.unet.to_json_string(),
            "scheduler_config.json": self._scheduler("DDIM").to_json_string(),
            "diffusion_pytorch_model.safetensors.index.json": json.dumps(index, indent=1),
        }

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Mean squared error of the guessed v at random noise levels."""
        draw = functools.partial(torch.rand, generator=generator, device=x.device)
        t = (1000 * (torch.arange(len(x), device=x.device) + draw(1)) / len(x)).long()  # spread evenly over the levels
        label = torch.where(draw(len(x)) < 0.1, len(self.labels), label)
        x = 2 * x - 1
        noise = torch.randn(x.shape, generator=generator, device=x.device)
        a, s = (c[:, None, None, None] for c in self._scales(t))
        error = self.guess(a * x + s * noise, t, label) - (a * noise - s * x)
        return {"mse": error.square().mean()}

    def guess(self, x: Tensor, t: Tensor, label: Tensor) -> Tensor:
        """The network's v, (n, *shape), for noisy pictures in [-1, 1], levels 0..999 and class indices, each (n,)."""
        folded = F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last)
        return F.pixel_shuffle(self.unet(folded, t, label).sample, 2)

    def guided(self, x: Tensor, t: Tensor, label: Tensor, scale: float) -> Tensor:
        """``guess``, extrapolated from "any" class through the wanted one (Ho and Salimans 2022, equation 6)."""
        return guided(self.guess, x, t, label, len(self.labels), scale)

    def denoise(self, x: Tensor, sigma: Tensor, *, label: Tensor | None = None, scale: float = 1.0) -> Tensor:
        """The clean picture in [-1, 1] expected of a picture plus noise of deviation ``sigma``, (n,)."""
        kept = 1 / (1 + sigma.double().square())
        t = self._level(kept)
        a, s = (c.to(x.dtype)[:, None, None, None] for c in (kept.sqrt(), (1 - kept).sqrt()))
        label = torch.full_like(t, len(self.labels), dtype=torch.int64) if label is None else label
        return a * (a * x) - s * self.guided(a * x, t.to(x.dtype), label, scale)

    def refine(
        self,
        rng: Rng,
        *,
        label: Annotated[str, Label()] = ANY,
        steps: Steps = 20,
        sampler: Annotated[str, Choice("DDIM", "DDPM", "DPM-Solver++", "Heun", help="how noise is removed")] = "DDIM",
        guidance_scale: Guidance = 1.5,
        show: Annotated[str, Choice("guess", "noisy", help="the clean picture guessed so far, or the state")] = "guess",
    ) -> Iterator[State]:
        """From noise to picture in ``steps`` steps; Heun's take two network passes each."""
        classes = classes_of(rng, self.labels, label)
        noise = rng.normal(*self.shape)
        way = self._with_ours if sampler == "Heun" else self._with_diffusers
        for done, (x, clean, caption) in enumerate(way(noise, rng, classes, steps, sampler, guidance_scale), 1):
            seen = x if show == "noisy" or done == steps else clean
            yield State((seen.float() / 2 + 0.5).clamp(0, 1), done, steps, caption)

    @torch.no_grad()
    def complete(
        self,
        x: Tensor,
        known: Tensor,
        rng: Rng,
        *,
        label: Annotated[str, Label(help="of which class; any: what the rest suggests")] = ANY,
        steps: Annotated[int, Slider(2, 100, help="noise levels from pure noise to picture")] = 16,
        guidance_scale: Guidance = 1.5,
    ) -> Iterator[State]:
        """As ``inpainting.filled`` does."""
        given = even = 2 * x - 1
        choice = rng.uniform(1)
        if label == ANY:
            told = suggested(self._told, even, known, len(self.labels), SPREAD, choice)
        else:
            told = classes_of(rng, self.labels, label)
        guess = self._denoiser(told, guidance_scale)
        sigmas = samplers.karras_sigmas(steps, SIGMA_MIN, SIGMA_MAX)
        for done, (_, clean) in enumerate(filled(guess, given, known, rng, sigmas, SPREAD), 1):
            seen = torch.where(known, x, (clean.float() / 2 + 0.5).clamp(0, 1))
            yield State(seen, done, steps, f"sigma {sigmas[done]:.2f}")

    @torch.no_grad()
    def edit(
        self,
        x: Tensor,
        strength: float,
        rng: Rng,
        *,
        label: Annotated[str, Label(help="of which class, or any")] = ANY,
        steps: Annotated[int, Slider(2, 100, help="of the whole way from noise to picture")] = 16,
        guidance_scale: Guidance = 1.5,
    ) -> Iterator[State]:
        """Noise is added, and taken away by Heun's steps: SDEdit (Meng et al. 2022, arXiv:2108.01073)."""
        told = None if label == ANY else classes_of(rng, self.labels, label)
        denoise = self._denoiser(told, 1.0 if told is None else guidance_scale)
        count, sigma = math.ceil(strength * steps), noise_of(strength, SPREAD, SIGMA_MAX)
        yield State(x, 0, count, "as given")
        noisy = (0 if strength == 1 else 2 * x - 1) + sigma * rng.normal(*self.shape)
        sigmas = samplers.karras_sigmas(count, min(SIGMA_MIN, sigma / 2), sigma) if count else []
        for done, (_, clean) in enumerate(samplers.heun(denoise, noisy, sigmas), 1):
            yield State((clean.float() / 2 + 0.5).clamp(0, 1), done, count, f"sigma {sigmas[done]:.2f}")

    def _told(self, x: Tensor, sigma: Tensor, label: Tensor) -> Tensor:
        return self.denoise(x, sigma, label=label)

    def encode(self, x: Tensor, *, steps: Annotated[int, Slider(5, 100, help="steps each way")] = 20) -> Tensor:
        """The noise (n, *shape) that the probability flow, integrated upwards with Heun's method, makes of pictures."""
        up = samplers.karras_sigmas(steps, SIGMA_MIN, SIGMA_MAX)[-2::-1]
        *_, (x, _clean) = samplers.heun(self._denoiser(None, 1.0), 2 * x - 1, up)
        return x / SIGMA_MAX

    def decode(self, z: Tensor, *, steps: Annotated[int, Slider(5, 100, help="steps each way")] = 20) -> Tensor:
        """Pictures of noise (n, *shape) by the probability flow, for any class."""
        down = samplers.karras_sigmas(steps, SIGMA_MIN, SIGMA_MAX)
        *_, (x, _clean) = samplers.heun(self._denoiser(None, 1.0), SIGMA_MAX * z, down)
        return (x / 2 + 0.5).clamp(0, 1)

    def log_prob(
        self, x: Tensor, rng: Rng, *, levels: Annotated[int, Slider(2, 1000, help="noise levels averaged")] = 16
    ) -> LogProb:
        """The variational bound of the 8-bit picture (Ho et al. 2020, equations 5, 8 and 13), for any class.

        The sum over levels is estimated at ``levels`` of them, drawn in strata with the probability that each level's
        term would have if errors grew with the noise up to a tenth of the variance; the standard error comes from their
        spread.
        """
        x = 2 * ((255 * x).round() / 255) - 1
        kept = self.kept
        snr = kept / (1 - kept)
        weight = 0.5 * (snr[:-1] - snr[1:])  # of each level's squared error of the clean picture, levels 1..999
        share = weight / (1 + 0.1 * snr[1:])
        share = share / share.sum()
        strata = (torch.arange(levels, device=x.device) + rng.uniform(levels)) / levels  # (n, levels)
        t = torch.searchsorted(share.cumsum(0), strata.double().clamp(max=1 - 1e-9)) + 1
        terms = torch.stack([self._squared_error(x, t[:, j], rng) for j in range(levels)], 1).double()
        terms = terms * (weight / share)[t - 1]  # (n, levels), each an unbiased estimate of the sum
        last = -0.5 * (kept[-1] * x.double().square() - kept[-1] - (1 - kept[-1]).log()).flatten(1).sum(1)
        nats = self._first_level(x, rng) + last - terms.mean(1)
        return LogProb(nats.float(), "lower bound", "8-bit pixels", (terms.std(1) / levels**0.5).float())

    def _squared_error(self, x: Tensor, t: Tensor, rng: Rng) -> Tensor:
        """Squared error of the guessed clean picture at levels t, (n,)."""
        a, s = (c[:, None, None, None] for c in self._scales(t))
        noise = rng.normal(*self.shape)
        noisy = a * x + s * noise
        v = self.guess(noisy, t, torch.full_like(t, len(self.labels)))
        return (a * noisy - s * v - x).square().flatten(1).sum(1)

    def _first_level(self, x: Tensor, rng: Rng) -> Tensor:
        """Log p(x | level 0) in nats, (n,): a normal distribution cut into 256 levels (Ho et al. 2020, equation 13)."""
        t = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        a, s = (c[:, None, None, None] for c in self._scales(t))
        noisy = a * x + s * rng.normal(*self.shape)
        v = self.guess(noisy, t, torch.full_like(t, len(self.labels)))
        mean = (a * noisy - s * v).double()
        spread = (1 - self.kept[0]).sqrt()
        upper = torch.where(x > 0.999, torch.inf, (x + 1 / 255 - mean) / spread)
        lower = torch.where(x < -0.999, -torch.inf, (x - 1 / 255 - mean) / spread)
        mass = torch.special.ndtr(upper) - torch.special.ndtr(lower)
        return mass.clamp(min=1e-12).log().flatten(1).sum(1)

    def _with_diffusers(
        self, x: Tensor, rng: Rng, classes: Tensor, steps: int, sampler: str, scale: float
    ) -> Iterator[tuple[Tensor, Tensor, str]]:
        scheduler = self._scheduler(sampler)
        times = [round(1000 - k * 1000 / steps) - 1 for k in range(steps)]  # diffusers' "trailing", which can miscount
        if sampler != "DDIM":
            scheduler.set_timesteps(timesteps=times)
        extra = {} if sampler == "DPM-Solver++" else {"generator": rng.generators}
        for t, after in zip(times, [*times[1:], -1], strict=True):
            if sampler == "DDIM":  # it would go down 1000 // steps levels: too few unless that divides evenly
                scheduler.num_inference_steps = 1
                scheduler.register_to_config(num_train_timesteps=t - after)
            level = torch.full((len(x),), t, device=x.device)
            v = self.guided(x, level, classes, scale)
            a, s = (c[:, None, None, None] for c in self._scales(level))
            clean = a * x - s * v
            x = scheduler.step(v, t, x, **extra).prev_sample
            yield x, clean, f"level {t}"

    def _with_ours(
        self, x: Tensor, rng: Rng, classes: Tensor, steps: int, sampler: str, scale: float
    ) -> Iterator[tuple[Tensor, Tensor, str]]:
        sigmas = samplers.karras_sigmas(steps, SIGMA_MIN, SIGMA_MAX)
        states = samplers.heun(self._denoiser(classes, scale), SIGMA_MAX * x, sigmas)
        for (x, clean), sigma in zip(states, sigmas[1:], strict=False):
            yield x / (1 + sigma**2) ** 0.5, clean, f"sigma {sigma:.2f}"

    def _denoiser(self, classes: Tensor | None, scale: float) -> Callable[[Tensor, float], Tensor]:
        def denoise(x: Tensor, sigma: float) -> Tensor:
            return self.denoise(x, torch.full((len(x),), sigma, device=x.device), label=classes, scale=scale)

        return denoise

    def _scales(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """How much of picture and noise there is at levels t, each (n,) float32."""
        kept = self.kept[t]
        return kept.sqrt().float(), (1 - kept).sqrt().float()

    def _level(self, kept: Tensor) -> Tensor:
        """The fractional level at which ``kept`` of the variance is the picture's, (n,), between table entries."""
        odds = (self.kept / (1 - self.kept)).log().flip(0)  # rising
        wanted = (kept / (1 - kept)).log()
        above = torch.searchsorted(odds, wanted).clamp(1, len(odds) - 1)
        part = (wanted - odds[above - 1]) / (odds[above] - odds[above - 1])
        return (len(odds) - 1) - (above - 1 + part.clamp(0, 1))

    @staticmethod
    def _scheduler(sampler: str) -> SchedulerMixin | Any:
        """Diffusers' scheduler of that name, with the schedule this model was trained on."""
        import diffusers

        if sampler == "DPM-Solver++":
            return diffusers.DPMSolverMultistepScheduler(**SCHEDULE, timestep_spacing="trailing")
        kind = diffusers.DDIMScheduler if sampler == "DDIM" else diffusers.DDPMScheduler
        return kind(**SCHEDULE, timestep_spacing="trailing", clip_sample=False)  # clipping greys the background
