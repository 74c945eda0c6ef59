"""Class-conditional flow matching on CIFAR-10: twenty minutes of a data-centre GPU, days of two cores."""

from functools import partial

from playground.families.picture_flow import PictureFlow
from playground.recipes import Recipe

recipe = Recipe(
    name="cifar10-flow-matching",
    model=partial(PictureFlow, shape=(3, 32, 32), width=96, deep=176, blocks=3),
    data="cifar10",
    steps=60_000,
    batch=128,
    lr=1e-3,
    betas=(0.9, 0.99),
    ema=0.9998,
    half=True,
    device="cuda",
    value=0.8,
    expects="things named at a glance more often than not; bits per dimension below 3.2 of these JPEGs",
    licence="for non-commercial use only, as the data's licence is not stated",
)
