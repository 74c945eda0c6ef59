"""How much the memory saves: PixelCNN's cached sampler beside the naive one, timed in turn in one run.

python benchmarks/cached_sampling.py            the size of the pretrained model, 16 pictures
"""

import argparse
import time
from collections.abc import Callable

import torch

from playground import catalog
from playground.families.pixelcnn import PixelCNN
from playground.recipes.mnist_pixelcnn import recipe
from playground.rng import Rng


def seconds(draw: Callable[[Rng], torch.Tensor], n: int) -> tuple[float, torch.Tensor]:
    """Wall-clock seconds of one call, and what it drew."""
    begun = time.perf_counter()
    x = draw(Rng(0, n))
    return time.perf_counter() - begun, x


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--n", type=int, default=16, help="pictures in a batch")
    parser.add_argument("--repeats", type=int, default=3, help="of the cached sampler; the naive one runs once")
    options = parser.parse_args()
    trained = recipe.name in catalog.cards()
    model = catalog.load(recipe.name) if trained else recipe.model()
    assert isinstance(model, PixelCNN)
    seconds(model.sample, 1)  # what torch does once
    cached = [seconds(model.sample, options.n) for _ in range(options.repeats)]
    naive, picture = seconds(model.sample_naively, options.n)
    best = min(s for s, _ in cached)
    same = all(torch.equal(x, picture) for _, x in cached)
    state = "trained" if trained else "untrained"
    print(f"{recipe.name}, {state}, {options.n} pictures, {torch.get_num_threads()} threads")
    print(f"cached {best:.2f} s, naive {naive:.2f} s, ratio {naive / best:.1f}, same pictures: {same}")


if __name__ == "__main__":
    main()
