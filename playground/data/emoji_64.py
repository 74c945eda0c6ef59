"""Noto emoji in the size of their file, 64x64 colour: for models that need a GPU to be trained."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from playground.data import emoji

dataset = replace(
    emoji.dataset,
    name="emoji-64",
    title="Noto emoji, 64x64",
    line="3,583 emoji, 64x64 colour on white, 1,895 of them skin tones of others",
    shape=(3, emoji.STORED, emoji.STORED),
    read=partial(emoji.read, side=emoji.STORED),
    fixture=partial(emoji.fixture, side=emoji.STORED),
)
