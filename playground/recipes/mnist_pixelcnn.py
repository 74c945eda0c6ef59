"""PixelCNN on binarised MNIST: twenty-five minutes on one core, at most 86 nats expected on fixed binarisation."""

from functools import partial

from playground.families.pixelcnn import PixelCNN
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-pixelcnn",
    model=partial(
        PixelCNN, shape=(1, 28, 28), patch=2, levels=2, channels=96, inner=48, layers=6, rows=2, reach=2, attend_every=3
    ),
    data="mnist",
    steps=3_500,
    batch=32,
    lr=1.5e-3,
    betas=(0.9, 0.99),
    weight_decay=1e-2,
    ema=0.999,
    expects="test NLL at most 86 nats, fixed binarisation",
    published=(
        {"metric": "NLL, nats, dynamic binarisation", "value": 81.45, "source": "PixelCNN, pytorch-generative README"},
        {
            "metric": "NLL, nats, static binarisation",
            "value": 81.30,
            "source": "PixelCNN, van den Oord et al. 2016, as quoted in the pytorch-generative README",
        },
    ),
)
