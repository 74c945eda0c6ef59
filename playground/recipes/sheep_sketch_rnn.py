"""Sketch-RNN on sheep: twenty minutes on one core. The drawings, and so the weights, are not for commercial use."""

from functools import partial

from playground.families.sketch_rnn import SketchRNN
from playground.recipes import Recipe

recipe = Recipe(
    name="sheep-sketch-rnn",
    model=partial(SketchRNN, shape=(120, 5), latent=64, warmup=600),
    data="sheep",
    steps=2400,
    batch=48,
    lr=2e-3,
    ema=0.998,
    half=True,
    expects="animals with a woolly body, a head at its left, and legs",
    licence="CC BY-NC 4.0",
)
