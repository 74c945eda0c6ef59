"""Sketch-RNN on kanji: twenty minutes on one core."""

from functools import partial

from playground.families.sketch_rnn import SketchRNN
from playground.recipes import Recipe

recipe = Recipe(
    name="kanji-sketch-rnn",
    model=partial(SketchRNN, shape=(80, 5), latent=64, width=256, reads=128, warmup=800, beta=0.5, free=4.0),
    data="kanji",
    steps=3400,
    batch=64,
    lr=2e-3,
    ema=0.998,
    half=True,
    expects="characters that look like kanji at a glance; a code that is hardly used: its rate stays at its free nats",
    licence="CC BY-SA 3.0",
)
