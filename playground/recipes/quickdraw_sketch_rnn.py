"""Sketch-RNN on 107 words of Quick, Draw!, not told which: a quarter of an hour on one core."""

from functools import partial

from playground.families.sketch_rnn import SketchRNN
from playground.recipes import Recipe

recipe = Recipe(
    name="quickdraw-sketch-rnn",
    model=partial(SketchRNN, shape=(80, 5), latent=64, finest=0.03, warmup=600, dropout=0.2, stretch=0.15),
    data="quickdraw",
    steps=2600,
    batch=64,
    lr=2e-3,
    weight_decay=1e-2,
    ema=0.998,
    half=True,
    expects="simple shapes given back by their code, and doodles between two of them",
)
