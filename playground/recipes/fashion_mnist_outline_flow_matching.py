"""Flow matching from outlines to garments: twenty minutes of one core, from the weights of Fashion-MNIST's."""

from functools import partial

from playground.families.outline_flow import OutlineFlow
from playground.recipes import Recipe

recipe = Recipe(
    name="fashion-mnist-outline-flow-matching",
    model=partial(OutlineFlow, width=48, deep=96, blocks=2),
    data="fashion-mnist",
    begins="fashion-mnist-flow-matching",
    steps=1_000,
    batch=64,
    lr=1.5e-3,
    betas=(0.9, 0.99),
    ema=0.998,
    expects="garments of the outline drawn, hand-drawn ones too; edge F1 above the nearest training picture's",
)
