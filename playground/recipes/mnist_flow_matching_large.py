"""Flow matching on MNIST, several times as large: ten minutes of a data-centre GPU."""

from functools import partial

from playground.families.picture_flow import PictureFlow
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-flow-matching-large",
    model=partial(PictureFlow, width=80, deep=168, blocks=3),
    data="mnist",
    steps=40000,
    batch=128,
    lr=1.5e-3,
    betas=(0.9, 0.99),
    ema=0.9998,
    half=True,
    device="cuda",
    value=1.0,
    expects="at most 1.02 bits per dimension by the ODE; Frechet distance within 1.5 times the floor",
    published=({"metric": "bits_per_dim", "value": 0.99, "source": "FFJORD's table, uniform dequantisation"},),
)
