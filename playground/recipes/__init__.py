"""The recipes: one file per pretrained model, each defining ``recipe``; ``playground.train`` runs them."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.train import Recipe


@cache
def recipes() -> dict[str, Recipe]:
    """Every recipe, by the name of the model it trains."""
    modules = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return {m.recipe.name: m.recipe for m in modules}
