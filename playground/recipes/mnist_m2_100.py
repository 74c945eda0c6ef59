"""The semi-supervised VAE with 100 labels: ten minutes on one core; test error under 2 per cent expected."""

from functools import partial

from playground.families.semi_supervised_vae import SemiSupervisedVAE
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-m2-100",
    model=partial(SemiSupervisedVAE, latent=32, width=400, depth=1, warmup=1500, start=6.0),
    data="mnist",
    steps=6000,
    batch=320,
    lr=2e-3,
    ema=0.998,
    labelled=100,
    half=True,
    expects="test error under 2 per cent with 100 labels, ten of each digit; 19 of 20 samples the digit asked for",
    published=(
        {"metric": "error with 100 labels, per cent", "value": 11.97, "source": "M2, an MLP, Kingma et al. 2014"},
        {"metric": "error with 100 labels, per cent", "value": 3.33, "source": "M1+M2, MLPs, Kingma et al. 2014"},
    ),
)
