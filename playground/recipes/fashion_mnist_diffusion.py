"""A class-conditional diffusion model on Fashion-MNIST: two hours on one core."""

from functools import partial

from playground.families.diffusion import Diffusion
from playground.recipes import Recipe

recipe = Recipe(
    name="fashion-mnist-diffusion",
    model=partial(Diffusion, channels=(48, 64), layers=1),
    data="fashion-mnist",
    steps=9_000,
    batch=64,
    lr=1.5e-3,
    betas=(0.9, 0.99),
    ema=0.999,
    expects="garments named at a glance; nine of ten samples the garment asked for",
)
