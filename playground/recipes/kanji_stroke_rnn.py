"""The pen alone on kanji, the baseline beside Sketch-RNN: ten minutes on one core."""

from functools import partial

from playground.families.sketch_rnn import StrokeRNN
from playground.recipes import Recipe

recipe = Recipe(
    name="kanji-stroke-rnn",
    model=partial(StrokeRNN, shape=(80, 5), width=256),
    data="kanji",
    steps=3400,
    batch=64,
    lr=2e-3,
    ema=0.998,
    half=True,
    expects="strokes and parts that look like kanji; an exact test likelihood beside Sketch-RNN's bound",
    licence="CC BY-SA 3.0",
)
