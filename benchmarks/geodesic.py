"""How much shorter the geodesic is than the straight walk, in the decoder's metric, over pairs of test pictures.

    python benchmarks/geodesic.py [pairs] [model ...] [--quick]

Quick: a single round of the search, however much longer the page would let it go on.

Lengths are sums of root-mean-square changes of the picture over steps of equal share, as the page prints them.
"""

from __future__ import annotations

import statistics
import sys
import time
from functools import partial

import torch

from playground import catalog, geodesics, trips
from playground.activities.walk import WAYS
from playground.capabilities import Reconstructs
from playground.data import datasets
from playground.pictures import to_data
from playground.rng import Rng
from playground.trips import Trip

MODELS = ("mnist-vae", "mnist-vae-2d", "mnist-autoencoder")
FRAMES = 17
SEED = 5


def lengths(model: Reconstructs, a: torch.Tensor, b: torch.Tensor) -> dict[str, float]:
    """The length of each walk between two codes (1, *latent), found and checked as the activity does."""
    t = torch.linspace(0, 1, FRAMES)
    trip = Trip(model, "", partial(model.decode), {way: go(a, b, t)[0] for way, go in WAYS.items()}, each=0.0)
    for way in WAYS:
        list(trip.drawn(way))
    list(trip.shortened(a, b, WAYS))
    list(trip.drawn("geodesic"))
    trip.checked()
    return {way: float(trip.changes(way).sum()) for way in trip.codes}


@torch.no_grad()
def main(pairs: int, names: tuple[str, ...]) -> None:
    """Print one line per model."""
    levels, _ = datasets()["mnist"].load("test")
    chosen = Rng(SEED, 1).uniform(len(levels))[0].argsort()[: 2 * pairs].numpy()
    x = to_data(levels[chosen])
    for name in names:
        model = catalog.load(name)
        assert isinstance(model, Reconstructs)
        codes = model.encode(x)
        begun = time.process_time()
        found = [lengths(model, codes[i : i + 1], codes[i + 1 : i + 2]) for i in range(0, 2 * pairs, 2)]
        took = (time.process_time() - begun) / pairs
        shorter = sum(f["geodesic"] < f["linear"] for f in found)
        never = sum(f["geodesic"] <= min(f["linear"], f["spherical"]) for f in found)
        ratio = [f["geodesic"] / f["linear"] for f in found]
        round_ = [f["spherical"] / f["linear"] for f in found]
        print(
            f"{name}: geodesic shorter than linear on {shorter} of {pairs} pairs, never longer than either on {never};"
            f" length over linear: median {statistics.median(ratio):.3f}, from {min(ratio):.3f} to {max(ratio):.3f};"
            f" spherical over linear: median {statistics.median(round_):.3f}; {took:.2f} s of one core a pair",
            flush=True,
        )


if __name__ == "__main__":
    if "--quick" in sys.argv:
        sys.argv.remove("--quick")
        geodesics.ROUNDS, trips.PATIENCE = 1, 1e9
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()]
    main(numbers[0] if numbers else 100, tuple(a for a in sys.argv[1:] if not a.isdigit()) or MODELS)
