"""A VAE on Fashion-MNIST: ten minutes on one core; its pixels' probabilities are shown as greys."""

from functools import partial

from playground.families.vae import VAE
from playground.recipes import Recipe

recipe = Recipe(
    name="fashion-mnist-vae",
    model=partial(VAE, latent=32, width=384, depth=2, warmup=1000),
    data="fashion-mnist",
    steps=6000,
    batch=200,
    lr=1.2e-3,
    ema=0.999,
    expects="garments recognised at a glance, soft at the edges",
)
