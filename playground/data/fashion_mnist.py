"""Fashion-MNIST (Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747): articles of clothing, 28x28 grey."""

from __future__ import annotations

import numpy as np

from playground.data import Dataset
from playground.data.silhouettes import draw
from playground.data.sources import Grey28

source = Grey28(
    "fashion-mnist",
    "Fashion-MNIST",
    file="fashion_mnist.npz",
    repo="zalando-datasets/fashion_mnist",
    folder="fashion_mnist",
)


def fixture() -> tuple[np.ndarray, np.ndarray]:
    """A light and a dark silhouette of each class: (20, 1, 28, 28)."""
    x = np.stack([draw(label, tone) for label in range(10) for tone in (220, 130)])
    return x[:, None], np.repeat(np.arange(10), 2)


dataset = Dataset(
    name="fashion-mnist",
    title="Fashion-MNIST",
    line="70,000 articles of clothing, 28x28 grey",
    shape=(1, 28, 28),
    labels=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    licence="MIT (Zalando SE, 2017)",
    read=source.read,
    where=source.where,
    fixture=fixture,
    fixture_note="Fashion-MNIST is not on this machine: these are twenty silhouettes drawn by this program.",
)
