"""One file per thing to do with a model. The file ``generate.py`` holds the generator function ``generate``.

A signature is the specification. Parameters by name:

    model    the chosen model; its annotation is the capability that it must have
    rng      the visitor's seed, as an ``Rng``; ``rng.take(n)`` makes a batch
    data     the model's data set, a ``playground.data.Dataset``
    title    the model's title, for captions
    **own    the knobs of the family's own method (``Capability.method``), forwarded whole

An ``Others`` knob arrives as the models themselves, by title.

and every keyword annotated with a knob. The docstring's first line is the help text; its yields are views.
Constants beside the function say where a visitor meets it, ``ORDER`` among the others and ``PAGE`` if not on Play; and
``TAKES``, the media that it works on, if not pictures alone.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cache

from playground.capabilities import Model, Refines, Samples, why_not
from playground.knobs import Spec, knobs
from playground.views import View

FOREIGN = {
    "pictures": "it knows pixels, and this is done with strokes",
    "drawings": "it draws strokes with a pen, and this is done with pixels",
}


@dataclass(frozen=True)
class Activity:
    """One thing to do: a generator function and what its signature says.

    Args:
        name: the file's name.
        run: the generator function.
        needs: the capability that its model must have.
        help: its docstring's first line.
        page: where it is offered.
        takes: the media that it works on: see ``Model.medium``.
    """

    name: str
    run: Callable[..., Generator[View]]
    needs: type[Model]
    help: str
    page: str = "play"
    takes: tuple[str, ...] = ("pictures",)

    @property
    def title(self) -> str:
        """Its name as a heading."""
        return self.name.replace("_", " ").capitalize()

    @property
    def parameters(self) -> set[str]:
        """Every parameter's name, ``own`` among them if it forwards the family's knobs."""
        return set(inspect.signature(self.run).parameters)

    def why_not(self, family: type[Model]) -> str | None:
        """None if it works with models of ``family``, else the reason, as a clause without a full stop."""
        return why_not(family, self.needs) or (None if family.medium in self.takes else FOREIGN[family.medium])

    def own_specs(self, family: type[Model], labels: tuple[str, ...] = ()) -> tuple[Spec, ...]:
        """The knobs that ``family``'s own method adds to this activity's; of one name, the activity's own counts."""
        method = vars(self.needs).get("method")
        if "own" not in self.parameters or method is None:
            return ()
        if method == Samples.method and issubclass(family, Refines):
            method = Refines.method  # its sample() is the end of its refine(), where its knobs are
        return tuple(s for s in knobs(getattr(family, str(method)), labels) if s.name not in self.parameters)

    def specs(
        self,
        family: type[Model],
        labels: tuple[str, ...] = (),
        others: tuple[str, ...] = (),
        abroad: tuple[str, ...] = (),
    ) -> tuple[Spec, ...]:
        """All knobs a visitor sees for a model of ``family``: the activity's, then the family's."""
        return knobs(self.run, labels, others, abroad) + self.own_specs(family, labels)


@cache
def activities() -> dict[str, Activity]:
    """Every activity in this folder, by name, in the order a newcomer should meet them."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        code = importlib.import_module(f"{__name__}.{module.name}")
        run = getattr(code, module.name)
        needs = typing.get_type_hints(run)["model"]
        page = getattr(code, "PAGE", Activity.page)
        takes = getattr(code, "TAKES", Activity.takes)
        activity = Activity(module.name, run, needs, (inspect.getdoc(run) or "").split("\n")[0], page, takes)
        found.append((getattr(code, "ORDER", 100), activity))
    return {a.name: a for _, a in sorted(found, key=lambda pair: (pair[0], pair[1].name))}
