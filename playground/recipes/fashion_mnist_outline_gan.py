"""A conditional GAN from outlines to garments: twenty minutes of one core."""

from functools import partial

from playground.data.fashion_mnist import dataset
from playground.families.outline_gan import OutlineGAN
from playground.recipes import Recipe

recipe = Recipe(
    name="fashion-mnist-outline-gan",
    model=partial(OutlineGAN, labels=dataset.labels, code=8, width=32, deep=64, hidden=256),
    data="fashion-mnist",
    steps=3_600,
    batch=32,
    lr={"discriminator": 1e-3, "generator": 1e-3},
    betas=(0.0, 0.99),
    ema=0.998,
    clip=10.0,
    expects="garments of the outline drawn, hand-drawn ones too, in several cloths; edge F1 above its neighbours'",
)
