"""Pictures that a model was not made for, in the form of its data: another data set's, noise, one grey all over."""

from __future__ import annotations

import numpy as np
from PIL import Image

from playground.data import Dataset, datasets
from playground.pictures import chosen
from playground.rng import Rng

USUAL = "the usual one"  # instead of a data set's name
FLAT = {"black": 0, "grey": 128, "white": 255}


def choices() -> tuple[str, ...]:
    """What a visitor may ask another data set of pictures by: ``USUAL``, or a name."""
    return USUAL, *(data.name for data in datasets().values() if data.medium == "pictures")


def another(data: Dataset, name: str = USUAL) -> Dataset:
    """The data set called ``name``, or the one that ``data`` is usually set against.

    Fashion-MNIST against MNIST, and the other way round, is the pair of Nalisnick et al. 2019, arXiv:1810.09136.
    """
    if name == USUAL:
        name = "mnist" if data.name == "fashion-mnist" else "fashion-mnist"
    return datasets()[name]


def foreign(data: Dataset, other: Dataset, rng: Rng, n: int) -> tuple[np.ndarray, tuple[str, ...], str]:
    """``n`` test pictures of ``other`` that the seed chooses, in the form of ``data``.

    Returns:
        Pictures (n, *data.shape) uint8, their classes, and a note to show: empty, or a space and what to know of them.
    """
    levels, names, note = chosen(other, rng, n)
    if other.shape == data.shape:
        return levels, names, note
    sizes = [f"{h} x {w}" + (" in colour" if c == 3 else "") for c, h, w in (other.shape, data.shape)]
    fitted = np.array([_fitted(picture, data.shape) for picture in levels], np.uint8).reshape(-1, *data.shape)
    return fitted, names, f"{note} {other.title} was brought from {sizes[0]} to {sizes[1]}."


def noise(data: Dataset, rng: Rng, n: int) -> np.ndarray:
    """``n`` pictures of pixels that know nothing of each other, (n, *data.shape) uint8."""
    if n == 0:
        return np.zeros((0, *data.shape), np.uint8)
    return Rng(rng.seed, n).integers(256, *data.shape).numpy().astype(np.uint8)


def flat(data: Dataset, name: str) -> np.ndarray:
    """One picture all black, grey or white, (1, *data.shape) uint8."""
    return np.full((1, *data.shape), FLAT[name], np.uint8)


def _fitted(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A picture (channels, height, width) uint8 in another size, grey or coloured as asked."""
    channels, height, width = shape
    image = Image.fromarray(picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0))
    image = image.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BOX)
    return np.asarray(image).reshape(height, width, channels).transpose(2, 0, 1)
