"""The semi-supervised VAE with 100 labels: eight minutes on one core; test error under 3 per cent expected."""

from functools import partial

from playground.families.semi_supervised_vae import SemiSupervisedVAE
from playground.train import Recipe

recipe = Recipe(
    name="mnist-m2-100",
    model=partial(SemiSupervisedVAE, latent=32, width=400, depth=1, warmup=1000),
    data="mnist",
    steps=4000,
    batch=300,
    lr=2e-3,
    ema=0.998,
    labelled=100,
    half=True,
    expects="test error 2 per cent with 100 labels, ten of each digit; NLL 92 nats by importance weighting",
    published=(
        {"metric": "error with 100 labels, per cent", "value": 11.97, "source": "M2 (no convolutions, no distortions), Kingma et al. 2014"},
        {"metric": "error with 100 labels, per cent", "value": 3.33, "source": "M1+M2 (likewise), Kingma et al. 2014"},
    ),
)
