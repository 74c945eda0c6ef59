"""What an activity shows: a closed vocabulary of plain records, numpy and plain values, to JSON and back.

Every yield of an activity is a view. A view whose ``key`` was shown before replaces it; a new key is shown below.
Pages draw these and nothing else.
"""

from __future__ import annotations

import base64
import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np


@dataclass(frozen=True, kw_only=True)
class View:
    """What all views share.

    Args:
        key: the place it is shown in; a later view with the same key replaces this one.
        title: a few words above it.
        caption: a sentence below it.
        seconds: the wall-clock seconds it cost to compute, or None.
    """

    kinds: ClassVar[dict[str, type[View]]] = {}
    key: str = "main"
    title: str = ""
    caption: str = ""
    seconds: float | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        View.kinds[cls.__name__] = cls

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; arrays become ``{dtype, shape, b64}``."""
        fields = {f.name: _pack(getattr(self, f.name)) for f in dataclasses.fields(self)}
        return {"view": type(self).__name__, **fields}


@dataclass(frozen=True, kw_only=True)
class Images(View):
    """A sheet of pictures.

    Args:
        pixels: (n, height, width, channels) uint8, one or three channels.
        captions: one short text per picture, or none at all.
        columns: pictures in a row, or 0 to let the page choose.
        group: the label of each row, or none; then ``columns`` is set.
        ramp: (k, 3) uint8, the colours of a scale from its low end to its high one, where the pictures show numbers.
        ends: what is written at the scale's two ends.
    """

    pixels: np.ndarray
    captions: tuple[str, ...] = ()
    columns: int = 0
    group: tuple[str, ...] = ()
    ramp: np.ndarray | None = None
    ends: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Film(View):
    """Pictures that change: shown as a strip and as an animation with a slider.

    Args:
        pixels: (frames, n, height, width, channels) uint8.
        steps: one short text per frame, such as ``t = 0.40``.
    """

    pixels: np.ndarray
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Lattice(View):
    """Pictures all over a plane of codes, with what lies on it.

    Args:
        pixels: (rows, columns, height, width, channels) uint8, evenly spaced, from the top left to the bottom right.
        extent: where the outermost pictures are: left, right, bottom, top.
        axes: what x and y are, in words.
        points: (n, 2) float32, x and y of data's codes, or None.
        classes: (n,) uint8, the class of each, or None.
        labels: the classes' names.
        anchors: (k, 2) float32, the places of the pictures that the plane was laid through, or none.
    """

    pixels: np.ndarray
    extent: tuple[float, float, float, float]
    axes: tuple[str, str]
    points: np.ndarray | None = None
    classes: np.ndarray | None = None
    labels: tuple[str, ...] = ()
    anchors: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Drawings(View):
    """Drawings as strokes, which a page draws as a pen would.

    Args:
        drawings: of each, its strokes, of each its points (x, y) on a page from 0 to 1, y down.
        given: how many points at the beginning of each are the visitor's, not the model's.
        captions: one short text per drawing, or none at all.
        columns: drawings in a row, or 0 to let the page choose.
    """

    drawings: tuple[tuple[tuple[tuple[float, float], ...], ...], ...]
    given: tuple[int, ...] = ()
    captions: tuple[str, ...] = ()
    columns: int = 0


@dataclass(frozen=True, kw_only=True)
class Table(View):
    """Rows under headed columns; cells are text or numbers.

    Args:
        columns: the headings.
        rows: as many cells in each.
        pictures: (rows, height, width, channels) uint8, one before each row, or None.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]
    pictures: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Curve(View):
    """Named series over common axes: lines, or points alone.

    Args:
        series: a name for each.
        x: (series, points) float; NaN where a series has fewer points than the longest.
        y: as ``x``.
        axes: what x and y are, in words with their units.
        error: one standard error of each y, or None.
        marks: points without lines.
        log: which axes are logarithmic: "", "x", "y" or "xy".
    """

    series: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    axes: tuple[str, str]
    error: np.ndarray | None = None
    marks: bool = False
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class Text(View):
    """A paragraph."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Refusal(View):
    """What could not be done, and what to do next; shown where the picture would be."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Progress(View):
    """How far the work has come; replaced by what follows, never kept.

    Args:
        done: steps taken.
        total: steps in all.
        text: what is being done, a few words.
    """

    key: str = "progress"
    done: int
    total: int
    text: str = ""


def from_json(record: dict[str, Any]) -> View:
    """The view that ``to_json`` wrote.

    Raises:
        ValueError: the record names no known view, or lacks or adds a field.
    """
    values = dict(record)
    kind = View.kinds.get(str(values.pop("view", None)))
    if kind is None:
        raise ValueError(f"not a view: {record.get('view')!r}; known are {', '.join(sorted(View.kinds))}")
    names = {f.name for f in dataclasses.fields(kind)}
    if not names >= set(values):
        raise ValueError(f"{kind.__name__} has no field {', '.join(sorted(set(values) - names))}")
    try:
        return kind(**{name: _unpack(value) for name, value in values.items()})
    except TypeError as error:
        raise ValueError(f"an incomplete {kind.__name__}: {error}") from None


def _pack(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        data = np.ascontiguousarray(value)
        return {"dtype": str(data.dtype), "shape": list(data.shape), "b64": base64.b64encode(data.tobytes()).decode()}
    if isinstance(value, tuple):
        return [_pack(v) for v in value]
    return value


def _unpack(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"dtype", "shape", "b64"}:
        return np.frombuffer(base64.b64decode(value["b64"]), np.dtype(value["dtype"])).reshape(value["shape"]).copy()
    if isinstance(value, list):
        return tuple(_unpack(v) for v in value)
    return value
