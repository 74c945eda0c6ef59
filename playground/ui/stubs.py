"""Keeps Gradio from writing editor stubs at every import, which is two fifths of the time that its import takes.

Import this before Gradio. A Gradio that no longer writes them is left as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

WRITER = "gradio.component_meta"  # where the function of the next name is
WRITE = "create_or_modify_pyi"


class Quiet(Loader):
    """Loads the writer's module as its own loader does, then takes its pen away.

    Args:
        loader: the module's own.
    """

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.loader.exec_module(module)
        if WRITE in vars(module):
            setattr(module, WRITE, lambda *args, **kwargs: None)


class Finder(MetaPathFinder):
    """Finds the one module whose loading is to be watched."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != WRITER:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = Quiet(spec.loader)
        return spec


if WRITER not in sys.modules:
    sys.meta_path.insert(0, Finder())
