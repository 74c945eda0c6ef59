"""A beta-VAE with beta 4 and ten latent numbers: seven minutes on one core; a low rate, paid for in distortion."""

from functools import partial

from playground.families.beta_vae import BetaVAE
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-beta-vae",
    model=partial(BetaVAE, latent=10, beta=4.0, width=320, depth=2, warmup=1000),
    data="mnist",
    steps=10000,
    batch=200,
    lr=1.2e-3,
    ema=0.999,
    half=True,
    expects="rate near 10 nats, distortion near 110 nats; an unweighted bound worse than the VAE's",
)
