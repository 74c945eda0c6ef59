"""A small convolutional GAN on MNIST: forty minutes on one core."""

from functools import partial

from playground.families.gan import GAN
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-gan",
    model=partial(GAN, latent=64, width=32, hidden=256),
    data="mnist",
    steps=16_000,
    batch=64,
    lr={"discriminator": 1e-3, "generator": 1e-3},
    betas=(0.0, 0.99),
    ema=0.999,
    clip=10.0,
    expects="Frechet distance below the VAE's, coverage 0.8",
    published=(
        {"metric": "Inception FID (not comparable with ours)", "value": 6.8, "source": "NSGAN, Lucic et al. 2018"},
    ),
)
