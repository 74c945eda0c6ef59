"""Class-conditional flow matching on Noto emoji in colour: half an hour on one core."""

from functools import partial

from playground.families.picture_flow import PictureFlow
from playground.recipes import Recipe

recipe = Recipe(
    name="emoji-flow-matching",
    model=partial(PictureFlow, shape=(3, 32, 32), width=48, deep=96, blocks=2),
    data="emoji",
    steps=3500,
    batch=64,
    lr=2e-3,
    betas=(0.9, 0.99),
    ema=0.998,
    expects="faces and people recognised at a glance",
)
