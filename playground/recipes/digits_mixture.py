"""A mixture of 12 factor analysers on scikit-learn's digits: a second on one core, to try things on."""

from functools import partial

from playground.families.mixture import MixtureOfFactorAnalysers
from playground.recipes import Recipe

recipe = Recipe(
    name="digits-mixture",
    model=partial(MixtureOfFactorAnalysers, shape=(1, 8, 8), components=12, factors=8),
    data="digits",
    steps=12,
    expects="digits recognised in spite of their 8x8 pixels",
)
