"""A small convolutional GAN on MNIST: half an hour on two cores."""

from functools import partial

from playground.families.gan import GAN
from playground.train import Recipe

recipe = Recipe(
    name="mnist-gan",
    model=partial(GAN, latent=64, width=64),
    data="mnist",
    steps=5000,
    batch=64,
    lr={"discriminator": 5e-4, "generator": 4e-4},
    betas=(0.5, 0.99),
    ema=0.999,
    clip=10.0,
    expects="Frechet distance below the VAE's",
    published=(
        {"metric": "Inception FID (not comparable with ours)", "value": 6.8, "source": "NSGAN, Lucic et al. 2018"},
    ),
)
