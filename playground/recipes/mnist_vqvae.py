"""A VQ-VAE on binarised MNIST, 7x7 symbols: half an hour on one core; its rate and distortion are printed."""

from functools import partial

from playground.families.vqvae import VQVAE
from playground.recipes import Recipe

STEPS = 4_000

recipe = Recipe(
    name="mnist-vqvae",
    model=partial(
        VQVAE,
        shape=(1, 28, 28),
        classes=10,
        codes=32,
        size=16,
        channels=96,
        layers=2,
        width=96,
        depth=3,
        heads=3,
        freeze=STEPS * 4 // 10,
    ),
    data="mnist",
    steps=STEPS,
    batch=32,
    lr={"autoencoder": 2e-3, "prior": 2e-3},
    betas=(0.9, 0.99),
    weight_decay=1e-2,
    ema=0.997,
    expects="bound on the test NLL about 110 nats, fixed binarisation: a guess from short runs",
)
