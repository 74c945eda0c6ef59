"""A transformer on binarised MNIST: half an hour on one core, at most 82 nats expected on fixed binarisation."""

from functools import partial

from playground.families.transformer import Transformer
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-transformer",
    model=partial(Transformer, shape=(1, 28, 28), classes=10, patch=2, width=96, depth=6, heads=3),
    data="mnist",
    steps=3_500,
    batch=16,
    lr=2e-3,
    betas=(0.9, 0.99),
    weight_decay=1e-2,
    ema=0.999,
    expects="test NLL at most 82 nats, fixed binarisation",
    published=(
        {
            "metric": "NLL, nats, dynamic binarisation",
            "value": 79.17,
            "source": "ImageGPT (8 layers, 16 channels), pytorch-generative README",
        },
        {
            "metric": "NLL, nats, dynamic binarisation",
            "value": 78.61,
            "source": "PixelSNAIL, pytorch-generative README",
        },
    ),
)
