"""A conditional VAE on Fashion-MNIST: six minutes on one core; its pixels' probabilities are shown as greys."""

from functools import partial

from playground.data.fashion_mnist import dataset
from playground.families.conditional_vae import ConditionalVAE
from playground.recipes import Recipe

recipe = Recipe(
    name="fashion-mnist-conditional-vae",
    model=partial(ConditionalVAE, labels=dataset.labels, latent=32, width=400, depth=1, warmup=1000),
    data="fashion-mnist",
    steps=10000,
    batch=200,
    lr=1.2e-3,
    ema=0.999,
    half=True,
    expects="the garment asked for, recognised at a glance, soft at the edges",
)
