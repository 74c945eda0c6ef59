"""PixelCNN on all 256 greys of MNIST, pixel by pixel: fifteen minutes of a data-centre GPU."""

from functools import partial

from playground.families.pixelcnn import PixelCNN
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-pixelcnn-grey",
    model=partial(
        PixelCNN,
        shape=(1, 28, 28),
        patch=1,
        levels=256,
        channels=104,
        inner=52,
        layers=6,
        rows=3,
        reach=3,
        attend_every=3,
    ),
    data="mnist",
    steps=25_000,
    batch=64,
    lr=1e-3,
    betas=(0.9, 0.99),
    weight_decay=1e-2,
    ema=0.9995,
    device="cuda",
    value=1.5,
    expects="at most 0.85 bits per dimension of 8-bit greys",
    published=(
        {
            "metric": "bits_per_dim",
            "value": 0.808,
            "source": "PixelCNN of 852,160 parameters, UvA deep learning tutorial 12",
        },
    ),
)
