"""A VAE on Noto emoji in colour: five minutes on one core; soft, and with few data."""

from functools import partial

from playground.families.vae import VAE
from playground.recipes import Recipe

recipe = Recipe(
    name="emoji-vae",
    model=partial(VAE, shape=(3, 32, 32), latent=64, width=384, depth=1, warmup=1000),
    data="emoji",
    steps=4000,
    batch=100,
    lr=1.2e-3,
    weight_decay=1e-2,
    ema=0.999,
    half=True,
    expects="faces and people recognised, soft at the edges",
)
