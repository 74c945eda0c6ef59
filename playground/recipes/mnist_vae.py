"""A VAE with 40 latent dimensions: twenty minutes on two cores, 88 nats (importance-weighted) expected."""

from functools import partial

from playground.families.vae import VAE
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-vae",
    model=partial(VAE, latent=40, width=512, depth=2, warmup=3000),
    data="mnist",
    steps=15000,
    batch=200,
    lr=1e-3,
    ema=0.9995,
    half=True,
    expects="test NLL 88 nats by importance weighting, bound 92, on the fixed binarisation",
    published=(
        {"metric": "NLL, nats, binarised, 200 importance samples", "value": 89.78, "source": "VAE, pythae"},
        {"metric": "NLL bound, nats, dynamic binarisation", "value": 86.77, "source": "VAE, pytorch-generative"},
        {"metric": "NLL, nats, static binarisation", "value": 79.03, "source": "VLAE, its table 1"},
    ),
)
