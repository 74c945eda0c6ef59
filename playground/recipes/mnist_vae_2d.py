"""A VAE with a two-dimensional latent, for walking: four minutes on two cores, about 130 nats expected."""

from functools import partial

from playground.families.vae import VAE
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-vae-2d",
    model=partial(VAE, latent=2, width=384, depth=2, warmup=1000),
    data="mnist",
    steps=5000,
    batch=200,
    lr=1.5e-3,
    ema=0.998,
    expects="test bound 130 nats on the fixed binarisation",
)
