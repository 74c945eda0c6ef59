"""Class-conditional flow matching on Fashion-MNIST: an hour on one core."""

from functools import partial

from playground.families.picture_flow import PictureFlow
from playground.recipes import Recipe

recipe = Recipe(
    name="fashion-mnist-flow-matching",
    model=partial(PictureFlow, width=48, deep=96, blocks=2),
    data="fashion-mnist",
    steps=8_000,
    batch=64,
    lr=2e-3,
    betas=(0.9, 0.99),
    ema=0.999,
    expects="garments named at a glance; bits per dimension by the ODE and the Frechet distance printed",
)
