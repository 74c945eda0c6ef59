"""A student of flow matching on MNIST that draws in one to four steps: half an hour on one core."""

from functools import partial

from playground.families.few_step import FewStep
from playground.recipes import Recipe

recipe = Recipe(
    name="mnist-few-step",
    model=partial(FewStep, width=48, deep=96, blocks=2, guidance=1.4),
    data="mnist",
    teacher="mnist-flow-matching",
    steps=900,
    batch=64,
    lr={"student": 2e-4, "critic": 4e-4},
    betas=(0.5, 0.99),
    warmup=50,
    ema=0.99,
    expects="one step within twice the teacher's Frechet distance at 50 steps",
)
