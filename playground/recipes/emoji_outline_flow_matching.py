"""Flow matching from outlines to Noto emoji in colour: twenty minutes of one core, from the weights of emoji's."""

from functools import partial

from playground.families.outline_flow import OutlineFlow
from playground.recipes import Recipe

recipe = Recipe(
    name="emoji-outline-flow-matching",
    model=partial(OutlineFlow, shape=(3, 32, 32), width=48, deep=96, blocks=2, paper=1.0),
    data="emoji",
    begins="emoji-flow-matching",
    steps=900,
    batch=64,
    lr=1.5e-3,
    betas=(0.9, 0.99),
    ema=0.998,
    expects="the outline filled with an emoji's colours; faces recognised at a glance",
)
