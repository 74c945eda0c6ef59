"""A transformer on Fashion-MNIST in four greys: twenty-five minutes on one core."""

from functools import partial

from playground.families.transformer import Transformer
from playground.recipes import Recipe

recipe = Recipe(
    name="fashion-mnist-transformer",
    model=partial(Transformer, shape=(1, 28, 28), classes=10, patch=2, levels=4, width=96, depth=6, heads=3),
    data="fashion-mnist",
    steps=1_800,
    batch=16,
    lr=2e-3,
    betas=(0.9, 0.99),
    weight_decay=1e-2,
    ema=0.998,
    expects="garments named at a glance; the likelihood of 8-bit greys is low, as four greys say little of them",
)
