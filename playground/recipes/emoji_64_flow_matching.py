"""Class-conditional flow matching on Noto emoji, 64x64: ten minutes of a data-centre GPU, a day of two cores."""

from functools import partial

from playground.families.picture_flow import PictureFlow
from playground.recipes import Recipe

recipe = Recipe(
    name="emoji-64-flow-matching",
    model=partial(PictureFlow, shape=(3, 64, 64), width=88, deep=168, blocks=3),
    data="emoji-64",
    steps=20000,
    batch=128,
    lr=1e-3,
    betas=(0.9, 0.99),
    ema=0.9995,
    half=True,
    device="cuda",
    value=2.0,
    expects="emoji that could be new ones, 64x64",
)
