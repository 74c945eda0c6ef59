"""The judge on Fashion-MNIST: three minutes on two cores, 92 % test accuracy expected."""

from functools import partial

from playground.families.classifier import Classifier
from playground.recipes import Recipe

recipe = Recipe(
    name="fashion-mnist-classifier",
    model=partial(Classifier, shape=(1, 28, 28), classes=10, width=32, features=64),
    data="fashion-mnist",
    steps=2500,
    batch=128,
    lr=2e-3,
    weight_decay=1e-2,
    ema=0.995,
    expects="test accuracy 0.92",
)
