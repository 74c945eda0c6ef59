"""A variance-exploding score model on MNIST: half an hour on one core."""

from functools import partial

from playground.families.picture_score import PictureScore
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-score",
    model=partial(PictureScore, width=48, deep=96, blocks=2),
    data="mnist",
    steps=4_000,
    batch=64,
    lr=2e-3,
    betas=(0.9, 0.99),
    ema=0.999,
    expects="digits recognised at a glance; Frechet distance within twice the floor at 50 evaluations",
)
