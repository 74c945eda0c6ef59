"""An autoencoder with a code of 32 numbers, to compare with the VAE and with PCA: five minutes on one core."""

from functools import partial

from playground.families.autoencoder import ImageAutoencoder
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-autoencoder-32",
    model=partial(ImageAutoencoder, latent=32, width=320, depth=2),
    data="mnist",
    steps=8000,
    batch=200,
    lr=1.5e-3,
    ema=0.998,
    half=True,
    expects="sharp reconstructions, and nothing but scribbles from random codes",
)
