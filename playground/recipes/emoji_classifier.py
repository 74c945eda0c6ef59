"""The judge on Noto emoji: four minutes on one core; it names the group of two in three."""

from functools import partial

from playground.families.classifier import Classifier
from playground.recipes import Recipe

recipe = Recipe(
    name="emoji-classifier",
    model=partial(Classifier, shape=(3, 32, 32), classes=10, width=32, features=64),
    data="emoji",
    steps=1500,
    batch=64,
    lr=2e-3,
    weight_decay=5e-2,
    ema=0.995,
    expects="test accuracy 0.7: what is an object and what an activity is partly convention",
)
