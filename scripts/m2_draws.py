"""Measure how much the error of a semi-supervised recipe depends on which pictures have the labels.

python scripts/m2_draws.py mnist-m2-100                trains with seeds 0 to 4 and prints each error and their mean
python scripts/m2_draws.py mnist-m2-100 --minutes 30   stops after half an hour; the same command goes on later
python scripts/m2_draws.py mnist-m2-100 --write        puts the mean and its standard error on the model's card, too

A seed draws the labelled pictures and everything else that is random. The recipe's own seed is the model on the shelf;
the others' models lie in runs/draws and are not trained twice.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # so that it runs from any folder, uninstalled

import torch  # noqa: E402

from playground import catalog  # noqa: E402
from playground.capabilities import Classifies, Model  # noqa: E402
from playground.catalog import Metric  # noqa: E402
from playground.data import datasets  # noqa: E402
from playground.recipes import Recipe, recipes  # noqa: E402
from playground.train import train  # noqa: E402

SHELF = "PLAYGROUND_PRETRAINED"  # the variable that says where models are put


def trained(recipe: Recipe, seed: int, minutes: float, folder: Path) -> Model | None:
    """The recipe's model with another seed, trained now if it is not there; None if time ran out."""
    if seed == recipe.seed and recipe.name in catalog.cards():
        return catalog.load(recipe.name)
    other = replace(recipe, name=f"{recipe.name}-draw-{seed}", seed=seed)
    before = os.environ.get(SHELF)
    os.environ[SHELF] = str(folder)
    try:
        done = other.name in catalog.cards() or (minutes > 0 and train(other, "cpu", minutes, folder / f"run-{seed}"))
        return catalog.load(other.name) if done else None
    finally:
        os.environ.pop(SHELF) if before is None else os.environ.update({SHELF: before})


@torch.no_grad()
def error(model: Model, data: str) -> float:
    """The share of all test pictures, in 8 bits, whose class is named wrongly, in per cent."""
    assert isinstance(model, Classifies)
    images, labels = datasets()[data].load("test")
    guess = torch.cat([model.classify(x.float() / 255).argmax(1) for x in torch.as_tensor(images).split(500)])
    return 100 * float((guess != torch.as_tensor(labels)).double().mean())


def metric(errors: list[float], recipe: Recipe) -> Metric:
    """The mean error with its standard error over draws."""
    several = statistics.stdev(errors) / math.sqrt(len(errors))
    each = ", ".join(f"{e:.2f}" for e in errors)
    protocol = (
        f"Per cent of all test pictures in 8 bits whose class is named wrongly: mean over {len(errors)} trainings, each"
        f" with its own {recipe.labelled or 'all'} labelled pictures and initial weights ({each}); standard error over"
        " trainings."
    )
    return Metric(round(statistics.mean(errors), 3), round(several, 3), len(errors), "estimate", "test", protocol)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[r.name for r in recipes().values() if r.labelled], help="a recipe")
    parser.add_argument("--draws", type=int, default=5, help="how many seeds, from 0; at least 2")
    parser.add_argument("--minutes", type=float, default=math.inf, help="wall-clock limit for all of them")
    parser.add_argument("--runs", type=Path, default=Path("runs/draws"), help="where models and checkpoints are kept")
    parser.add_argument("--write", action="store_true", help="put the result on the model's card")
    options = parser.parse_args()
    recipe, end = recipes()[options.name], time.monotonic() + 60 * options.minutes
    errors = []
    for seed in range(options.draws):
        model = trained(recipe, seed, (end - time.monotonic()) / 60, options.runs)
        if model is None:
            sys.exit(f"{recipe.name}, seed {seed}: not finished; the same command goes on with it.")
        errors.append(error(model, recipe.data))
        print(f"{recipe.name}, seed {seed}: test error {errors[-1]:.2f} per cent", flush=True)
    found = metric(errors, recipe)
    print(f"{recipe.name}: {found.value:.2f} +- {found.stderr:.2f} per cent over {len(errors)} draws")
    if options.write:
        card = catalog.read_card(catalog.root() / recipe.name)
        catalog.save_card(catalog.metrics_with(card, {"error_over_draws": found}))


if __name__ == "__main__":
    main()
