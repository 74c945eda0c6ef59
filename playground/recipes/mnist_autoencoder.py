"""An autoencoder with a two-dimensional code, for walking on its map: five minutes on one core."""

from functools import partial

from playground.families.autoencoder import ImageAutoencoder
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-autoencoder",
    model=partial(ImageAutoencoder, latent=2, width=320, depth=2),
    data="mnist",
    steps=8000,
    batch=200,
    lr=1.5e-3,
    ema=0.998,
    half=True,
    expects="a code of two numbers that keeps which digit it is, and a map with holes",
)
