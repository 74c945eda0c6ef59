"""The shelf as a page sees it: which models there are, what they are called, what fits them. Opens no weights."""

from __future__ import annotations

import inspect
import os
import sys
from collections import defaultdict
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from playground import catalog
from playground.activities import Activity, activities
from playground.capabilities import About, Model
from playground.catalog import Card
from playground.data import Dataset, datasets
from playground.knobs import Refused, Spec

QUICK = 0.1  # seconds a newcomer's first click may cost


@dataclass(frozen=True)
class Entry:
    """One model on the shelf.

    Args:
        card: its card.
        family: its class.
        about: what a newcomer reads about it.
        title: its short name, unlike any other on the same data set.
    """

    card: Card
    family: type[Model]
    about: About
    title: str

    @property
    def expected_seconds(self) -> float | None:
        """What 16 samples cost where it was measured, or None."""
        measured = self.card.metrics.get("seconds_per_16")
        return measured.value if measured else None


@dataclass(frozen=True)
class Shelf:
    """All models that can be shown, grouped by family, and why the others cannot.

    Args:
        entries: by name.
        broken: why each folder that cannot be shown cannot, by name.
    """

    entries: dict[str, Entry]
    broken: dict[str, str]

    def entry(self, name: str) -> Entry:
        """The model called ``name``.

        Raises:
            Refused: there is none, or it cannot be opened.
        """
        if name in self.broken:
            raise Refused(self.broken[name])
        if name not in self.entries:
            there = ", ".join(self.entries) or "none yet: train one with python -m playground.train"
            raise Refused(f"There is no model {name!r:.60} here; there are {there}.")
        return self.entries[name]

    def dataset(self, entry: Entry) -> Dataset:
        """The data set of a model."""
        return datasets()[entry.card.data]

    def others(self, name: str, activity: Activity) -> tuple[str, ...]:
        """The other models on the same data that can do ``activity``: one of each family first, then the rest."""
        rounds: dict[str, int] = defaultdict(int)
        order: list[tuple[int, int, str]] = []
        mine = self.entries[name]
        rounds[mine.about.title] += 1
        for place, (other, entry) in enumerate(self.entries.items()):
            fits = activity.why_not(entry.family) is None
            if other != name and entry.card.data == mine.card.data and fits:
                order.append((rounds[entry.about.title], place, other))
                rounds[entry.about.title] += 1
        return tuple(other for _, _, other in sorted(order))

    def abroad(self, name: str, activity: Activity) -> tuple[str, ...]:
        """Models on other data, made as this one is and with as large codes, that can do ``activity``."""
        mine = self.entries[name]
        return tuple(
            other
            for other, entry in self.entries.items()
            if entry.family is mine.family
            and entry.card.data != mine.card.data
            and activity.why_not(entry.family) is None
            and _code(entry) == _code(mine)
        )

    def specs(self, name: str, activity: Activity) -> tuple[Spec, ...]:
        """The knobs of an activity for a model, with its labels and its neighbours filled in."""
        entry = self.entries[name]
        return activity.specs(entry.family, entry.card.labels, self.others(name, activity), self.abroad(name, activity))

    def default(self) -> str | None:
        """The model to begin with: of the quick ones that of least Frechet distance, else the first that samples."""
        generate = activities()["generate"]
        able = [e for e in self.entries.values() if generate.why_not(e.family) is None]
        return min(able, key=_first_impression).card.name if able else None

    def describe(self) -> dict[str, Any]:
        """``Backend.describe`` without the device."""
        return {
            "models": [self._model(entry) for entry in self.entries.values()],
            "activities": [
                {k: getattr(a, k) for k in ("name", "title", "help", "page")} for a in activities().values()
            ],
            "datasets": [_dataset(d) for d in datasets().values()],
            "broken": self.broken,
            "default": self.default(),
        }

    def _model(self, entry: Entry) -> dict[str, Any]:
        card, fits = entry.card, {a.name: a.why_not(entry.family) for a in activities().values()}
        able = [a for a in activities().values() if fits[a.name] is None]
        facts = {k: card.to_json()[k] for k in ("labels", "licence", "parameters", "trained", "metrics", "published")}
        return {
            "name": card.name,
            "title": entry.title,
            "line": entry.about.line,
            "family": card.family,
            "family_title": entry.about.title,
            "data": card.data,
            **facts,
            "about": asdict(entry.about),
            "source": f"playground/families/{card.family}.py",
            "expected_seconds": entry.expected_seconds,
            "latent": _numbers(entry),
            "fits": fits,
            "knobs": {a.name: self._knobs(entry, a) for a in able},
        }

    def _knobs(self, entry: Entry, activity: Activity) -> list[dict[str, Any]]:
        own = {spec.name for spec in activity.own_specs(entry.family, entry.card.labels)}
        return [{**s.to_json(), "own": s.name in own} for s in self.specs(entry.card.name, activity)]


def shelf() -> Shelf:
    """The shelf as it is now; read anew only when a card has changed."""
    stamp = []
    if catalog.root().is_dir():
        for folder in sorted(os.listdir(catalog.root())):
            card = os.path.join(catalog.root(), folder, "card.json")
            if os.path.isfile(card):
                stat = os.stat(card)
                stamp.append((card, stat.st_mtime_ns, stat.st_size))
    return _read(tuple(stamp))


@lru_cache(maxsize=2)
def _read(stamp: tuple[tuple[str, int, int], ...]) -> Shelf:
    broken: dict[str, str] = {}
    found: dict[str, tuple[Card, type[Model], About]] = {}
    for path, _, _ in stamp:
        name = Path(path).parent.name
        try:
            card = catalog.read_card(Path(path).parent)
        except catalog.Unusable as error:
            broken[name] = str(error)
            continue
        family = catalog.family_class(card)
        if card.data not in datasets():
            broken[name] = f"{name}: its data set {card.data!r} is not known here; there are {', '.join(datasets())}."
        elif family.about is not None:  # without it a helper, such as a classifier
            found[name] = card, family, family.about
    order = sorted(found, key=lambda name: (_place(found[name][1]), found[name][2].title, name))
    titles = _titles({name: found[name] for name in order})
    return Shelf({name: Entry(*found[name], titles[name]) for name in order}, broken)


def _place(family: type[Model]) -> int:
    """Where a family's file wants to stand: its ``ORDER``, if it has one."""
    return int(vars(sys.modules[family.__module__]).get("ORDER", 100))


def _titles(found: dict[str, tuple[Card, type[Model], About]]) -> dict[str, str]:
    """A short name for each model: its family's title, and in what it differs from its siblings on the same data."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, (card, _, about) in found.items():
        groups[card.data, about.title].append(name)
    titles: dict[str, str] = {}
    for (_, title), names in groups.items():
        made = {name: _made_with(found[name][1], found[name][0]) for name in names}
        telling = [k for k in made[names[0]] if len({repr(m.get(k)) for m in made.values()}) > 1]
        for many in (0, 1, 2, 3):  # as few words as tell them apart
            words = {
                n: " · ".join([title, *filter(None, (_trait(k, made[n][k]) for k in telling[:many]))]) for n in names
            }
            if len(set(words.values())) == len(names):
                break
        else:
            words = {name: f"{title} · {name}" for name in names}
        titles |= words
    return titles


def _made_with(family: type[Model], card: Card) -> dict[str, Any]:
    """Every argument a model was made with, defaults included, in the order of the signature; and how many labels."""
    parameters = inspect.signature(family).parameters.values()
    made = {p.name: card.init.get(p.name, None if p.default is p.empty else p.default) for p in parameters}
    return {**made, "labelled": card.trained.get("labelled", "all")}


def _numbers(entry: Entry) -> int | None:
    """How many numbers a code of it has, where its recipe chose that."""
    chosen = _made_with(entry.family, entry.card).get("latent")
    return chosen if isinstance(chosen, int) else None


def _code(entry: Entry) -> tuple[Any, ...]:
    """What the shape of a code depends on: its recipe's ``latent``, the picture's shape and how many classes."""
    return _numbers(entry), tuple(datasets()[entry.card.data].shape), len(entry.card.labels)


def _trait(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return name.replace("_", " ") if value else ""
    return f"{name.replace('_', ' ')} {value}"


def _first_impression(entry: Entry) -> tuple[bool, float]:
    seconds = entry.expected_seconds
    distance = entry.card.metrics.get("frechet")
    return seconds is not None and seconds > QUICK, distance.value if distance else float("inf")


def _dataset(data: Dataset) -> dict[str, Any]:
    facts = ("name", "title", "line", "labels", "shape", "licence")
    return {k: list(v) if isinstance(v := getattr(data, k), tuple) else v for k in facts}
