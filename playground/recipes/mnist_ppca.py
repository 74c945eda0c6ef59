"""Probabilistic PCA on MNIST: closed form, a few seconds on two cores, 2.04 bits per dimension expected.

150 directions: on the validation split 64 give 2.17, 100 give 2.08, 150 give 2.04, 400 give 2.01, which is what a full
covariance gives; beyond 150 the directions hold noise. Fitted to pixels instead of their logits, the full covariance
gives 5.27.
"""

from functools import partial

from playground.families.ppca import PPCA
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-ppca",
    model=partial(PPCA, shape=(1, 28, 28), factors=150, levels=256),
    data="mnist",
    steps=1,
    expects="validation 2.04 bits per dimension, 8-bit pixels, uniform dequantisation",
    published=(
        {
            "metric": "bits/dim, 8-bit MNIST, uniform dequantisation, density of the pixels' logits, full covariance",
            "value": 2.01,
            "source": "Papamakarios, Pavlakou and Murray 2017 (MAF), arXiv:1705.07057",
        },
    ),
)
