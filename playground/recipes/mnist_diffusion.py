"""A class-conditional diffusion model on MNIST: two hours on one core."""

from functools import partial

from playground.families.diffusion import Diffusion
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-diffusion",
    model=partial(Diffusion, channels=(48, 64), layers=1),
    data="mnist",
    steps=9_000,
    batch=64,
    lr=1.5e-3,
    betas=(0.9, 0.99),
    ema=0.999,
    expects="digits recognised at a glance; 10-step DDIM better than 10-step ancestral sampling",
)
