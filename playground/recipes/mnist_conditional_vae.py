"""A conditional VAE: seven minutes on one core; the code holds the style, the label says which digit."""

from functools import partial

from playground.families.conditional_vae import ConditionalVAE
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-conditional-vae",
    model=partial(ConditionalVAE, labels=tuple("0123456789"), latent=32, width=400, depth=1, warmup=1500),
    data="mnist",
    steps=12000,
    batch=200,
    lr=1.2e-3,
    ema=0.999,
    half=True,
    expects="test NLL 88 nats by importance weighting; nine samples in ten are the digit asked for",
)
