"""A convolutional GAN on Noto emoji in colour: half an hour on one core."""

from functools import partial

from playground.families.gan import GAN
from playground.recipes import Recipe

recipe = Recipe(
    name="emoji-gan",
    model=partial(GAN, shape=(3, 32, 32), latent=64, width=32, hidden=256, augment=True),
    data="emoji",
    steps=4500,
    batch=64,
    lr={"discriminator": 1e-3, "generator": 1e-3},
    betas=(0.0, 0.99),
    ema=0.999,
    clip=10.0,
    expects="sharper than the VAE; faces and people recognised",
)
