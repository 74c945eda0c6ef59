"""A convolutional Wasserstein GAN with gradient penalty on MNIST: twenty-five minutes on one core."""

from functools import partial

from playground.families.wgan import PictureWassersteinGAN
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-wgan",
    model=partial(PictureWassersteinGAN, latent=64, width=32, hidden=256),
    data="mnist",
    steps=7000,
    batch=64,
    lr={"critic": 1e-3, "generator": 5e-4},
    betas=(0.0, 0.9),
    ema=0.999,
    clip=50.0,
    expects="Frechet distance below the VAE's, coverage 0.8",
    published=(
        {"metric": "Inception FID (not comparable with ours)", "value": 20.3, "source": "WGAN-GP, Lucic et al. 2018"},
    ),
)
