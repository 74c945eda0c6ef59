"""A multi-scale spline flow on MNIST: an hour on one core, 1.0 bits/dim expected."""

from functools import partial

from playground.families.flow import Flow
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-flow",
    model=partial(Flow, levels=2, width=48, depth=2, top_width=128, bins=8),
    data="mnist",
    steps=9_000,
    batch=64,
    lr=2e-3,
    betas=(0.9, 0.99),
    ema=0.999,
    expects="1.08 bits/dim with uniform dequantisation",
    published=(
        {
            "metric": "bits/dim, 8-bit, 556 312 parameters",
            "value": 1.078,
            "source": "simple coupling flow, UvA deep learning tutorial 11",
        },
        {"metric": "bits/dim, 8-bit", "value": 1.05, "source": "Glow, FFJORD's table"},
        {"metric": "bits/dim, 8-bit", "value": 1.06, "source": "RealNVP, FFJORD's table"},
    ),
)
