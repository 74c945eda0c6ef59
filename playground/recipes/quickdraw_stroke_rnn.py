"""The pen alone on 107 words of Quick, Draw!, told which: eight minutes on one core; some 18 drawings of a word."""

from functools import partial

from playground.data.quickdraw import dataset
from playground.families.sketch_rnn import StrokeRNN
from playground.recipes import Recipe

recipe = Recipe(
    name="quickdraw-stroke-rnn",
    model=partial(StrokeRNN, shape=(80, 5), labels=dataset.labels, width=256, finest=0.03, dropout=0.3, stretch=0.15),
    data="quickdraw",
    steps=2600,
    batch=64,
    lr=2e-3,
    weight_decay=1e-2,
    ema=0.998,
    half=True,
    expects="the simple things recognised at a glance; with so few drawings of a word the rest is guessed",
)
