"""An energy-based model on MNIST: half an hour on one core; chains of a hundred moves from noise."""

from functools import partial

from playground.families.picture_energy import PictureEnergy
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-energy",
    model=partial(PictureEnergy, width=16, hidden=256),
    data="mnist",
    steps=12_000,
    batch=64,
    lr=5e-4,
    betas=(0.0, 0.99),
    ema=0.999,
    clip=1.0,
    expects="digits recognised; Fashion-MNIST and noise told from MNIST with an area under the ROC of 0.95 each",
)
