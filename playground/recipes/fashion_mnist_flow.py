"""A multi-scale spline flow on Fashion-MNIST: an hour on one core."""

from functools import partial

from playground.families.flow import Flow
from playground.recipes import Recipe

recipe = Recipe(
    name="fashion-mnist-flow",
    model=partial(Flow, levels=2, width=48, depth=2, top_width=128, bins=8),
    data="fashion-mnist",
    steps=9_000,
    batch=64,
    lr=2e-3,
    betas=(0.9, 0.99),
    ema=0.999,
    expects="garments named at a glance; bits per dimension and the Frechet distance printed",
)
