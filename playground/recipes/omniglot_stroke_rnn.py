"""The pen alone on Omniglot's letters: a quarter of an hour on one core."""

from functools import partial

from playground.families.sketch_rnn import StrokeRNN
from playground.recipes import Recipe

recipe = Recipe(
    name="omniglot-stroke-rnn",
    model=partial(StrokeRNN, shape=(80, 5), finest=0.05),
    data="omniglot",
    steps=4000,
    batch=64,
    lr=2e-3,
    ema=0.998,
    half=True,
    expects="letters of alphabets that might exist",
)
