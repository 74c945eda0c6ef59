"""Knobs: what a person may set, read from a function's signature and checked in one place, on the server.

    def generate(model, rng, *, n: Annotated[int, Slider(1, 64, help="how many")] = 16): ...

``knobs(generate)`` reads that; ``check(specs, values)`` is the one gate through which every value from outside passes.
"""

from __future__ import annotations

import base64
import inspect
import io
import re
import reprlib
import struct
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_PIXELS = 4_000_000  # a photograph of a phone, reduced by the page; beyond it a decompression bomb
MAX_BYTES = 5_000_000
MAX_STROKES = 200
MAX_POINTS = 20_000  # over a minute of drawing without a rest
ANY = "any"
CODE = re.compile(r"test-(any|\d{1,3})-\d{1,9}|sample-\d{1,9}|mean-(any|\d{1,3})|yours", re.ASCII)


class Refused(ValueError):
    """A request that cannot be granted; its text is the sentence the visitor reads, with what to do next."""


@dataclass(frozen=True)
class Knob(ABC):
    """What all knobs share.

    Args:
        help: a few words under the control: what turning it does.
    """

    help: str = ""

    @abstractmethod
    def check(self, name: str, value: Any) -> Any:
        """The value as the activity gets it.

        Raises:
            Refused: the value is not one this knob can take.
        """

    def spec(self) -> dict[str, Any]:
        """Plain values from which a page draws the control."""
        return {"knob": type(self).__name__, **{k: v for k, v in vars(self).items() if v is not None}}


@dataclass(frozen=True)
class Slider(Knob):
    """A number from ``low`` to ``high``; whole if ``step`` is a whole number.

    Args:
        low: the smallest value.
        high: the largest value.
        step: the distance of two neighbouring values on the control; only wholeness is enforced.
        help: as for every knob.
    """

    low: float = 0
    high: float = 1
    step: float = 1
    help: str = ""

    def __init__(self, low: float, high: float, step: float = 1, help: str = "") -> None:
        for name, value in {"low": low, "high": high, "step": step, "help": help}.items():
            object.__setattr__(self, name, value)

    def check(self, name: str, value: Any) -> float:
        whole = isinstance(self.step, int)
        article = "a whole number" if whole else "a number"
        sentence = f"{name} must be {article} from {self.low:g} to {self.high:g}; it was {_shown(value)}."
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(sentence)
        if not self.low <= value <= self.high or (whole and value != int(value)):  # NaN fails the first
            raise Refused(sentence)
        return int(value) if whole else float(value)


@dataclass(frozen=True)
class Choice(Knob):
    """One of a few named options."""

    options: tuple[str, ...] = ()
    help: str = ""

    def __init__(self, *options: str, help: str = "") -> None:
        object.__setattr__(self, "options", options)
        object.__setattr__(self, "help", help)

    def check(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise Refused(f"{name} must be one of {', '.join(self.options)}; it was {_shown(value)}.")
        return value


@dataclass(frozen=True)
class Label(Knob):
    """A class of the model's data set, or ``any``; the options are filled in from the model's card.

    Args:
        options: ``any`` and the class names, once they are known.
        help: as for every knob.
    """

    options: tuple[str, ...] = (ANY,)
    help: str = "which class to draw"

    def check(self, name: str, value: Any) -> str:
        return Choice(*self.options).check(name, value)


@dataclass(frozen=True)
class Toggle(Knob):
    """On or off."""

    def check(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise Refused(f"{name} must be true or false; it was {_shown(value)}.")
        return value


@dataclass(frozen=True)
class Picture(Knob):
    """A picture from the visitor: a PNG, JPEG, WebP or GIF as base64 text (a data URL or not), or none.

    The activity gets a uint8 array (height, width, 3), or None.
    """

    def check(self, name: str, value: Any) -> np.ndarray | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > MAX_BYTES * 4 // 3 + 100:
            raise Refused(f"{name} must be a picture of at most {MAX_BYTES // 10**6} MB.")
        try:
            data = base64.b64decode(value.partition(",")[2] or value, validate=True)
        except ValueError:  # binascii.Error, or letters beyond ASCII
            raise Refused(f"{name} is not a picture: send a PNG, JPEG, WebP or GIF as base64 text.") from None
        return decode_picture(data)


@dataclass(frozen=True)
class Drawing(Picture):
    """A picture that the visitor draws on the page itself; it travels, and is checked, as any ``Picture``."""


@dataclass(frozen=True)
class Canvas(Picture):
    """What stands on the page's canvas, as it stands: where a stroke is counts, so nothing centres or scales it."""


@dataclass(frozen=True)
class Strokes(Knob):
    """What the visitor drew, as a list of strokes, each a list of points [x, y] on a page from 0 to 1, y down; or none.

    The activity gets tuples of tuples of pairs.
    """

    def check(self, name: str, value: Any) -> tuple[tuple[tuple[float, float], ...], ...]:
        sentence = f"{name} must be a list of strokes, each a list of points [x, y] from 0 to 1"
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(s, list | tuple) and s for s in value):
            raise Refused(f"{sentence}, none of them empty; it was {_shown(value)}.")
        points = sum(map(len, value))
        if len(value) > MAX_STROKES or points > MAX_POINTS:
            raise Refused(
                f"That drawing has {len(value):,} strokes and {points:,} points; at most {MAX_STROKES} and "
                f"{MAX_POINTS:,} are taken. Undo some and try again."
            )
        for point in (p for stroke in value for p in stroke):
            pair = isinstance(point, list | tuple) and len(point) == 2
            if not pair or not all(type(v) in (int, float) and 0 <= v <= 1 for v in point):  # NaN fails the last
                raise Refused(f"{sentence}; one of them was {_shown(point)}.")
        return tuple(tuple((float(x), float(y)) for x, y in stroke) for stroke in value)


@dataclass(frozen=True)
class CodeOf(Knob):
    """Whose code: ``test-3-17``, the test picture of class 3 that seed 17 chooses (``test-any-17``: of any class);
    ``sample-17``, the model's own draw of seed 17; ``mean-3``, the mean of a class's codes (``mean-any``: of all);
    ``yours``, a picture that another knob brings. Classes are numbered from 0.
    """

    def check(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or not CODE.fullmatch(value):
            raise Refused(f"{name} must be test-CLASS-SEED, sample-SEED, mean-CLASS or yours; it was {_shown(value)}.")
        return value


@dataclass(frozen=True)
class Others(Knob):
    """Further models, by name, beside the chosen one; the activity gets them loaded.

    Args:
        most: how many at the most.
        start: how many are chosen at first, where the signature's default is empty.
        options: the models that fit, once they are known, in the order in which they are chosen at first.
        help: as for every knob.
        abroad: whether they are of other data sets whose codes are as large, in place of the same data set.
    """

    most: int = 8
    start: int = 5
    options: tuple[str, ...] = ()
    help: str = ""
    abroad: bool = False

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(v, str) for v in value):
            raise Refused(f"{name} must be a list of model names; it was {_shown(value)}.")
        if len(set(value)) > self.most:
            raise Refused(f"{name} takes at most {self.most} models; you named {len(set(value))}.")
        strange = [v for v in value if v not in self.options]
        if strange:
            raise Refused(f"{name} does not know {_shown(strange[0])}; it can be {', '.join(self.options)}.")
        return tuple(dict.fromkeys(value))


@dataclass(frozen=True)
class Spec:
    """One knob of one function: its name, control and default."""

    name: str
    knob: Knob
    default: Any

    def to_json(self) -> dict[str, Any]:
        """Plain values from which a page draws the control."""
        return {"name": self.name, "default": self.default, **self.knob.spec()}


def knobs(
    function: Callable[..., Any], labels: Sequence[str] = (), others: Sequence[str] = (), abroad: Sequence[str] = ()
) -> tuple[Spec, ...]:
    """The knobs that a function's signature declares, in order.

    Args:
        function: every keyword annotated with a Knob and given a default is one.
        labels: the classes a ``Label`` knob offers; without any the knob is left out.
        others: the models an ``Others`` knob offers.
        abroad: those it offers if it is ``abroad``.
    """
    return _knobs(function, tuple(labels), tuple(others), tuple(abroad))


@lru_cache(maxsize=4096)  # asked at every request; reading a signature costs a millisecond
def _knobs(
    function: Callable[..., Any], labels: tuple[str, ...], others: tuple[str, ...], abroad: tuple[str, ...]
) -> tuple[Spec, ...]:
    hints = typing.get_type_hints(function, include_extras=True)
    specs = []
    for name, parameter in inspect.signature(function).parameters.items():
        default = parameter.default
        for extra in getattr(hints.get(name), "__metadata__", ()):
            if isinstance(extra, Label):
                if not labels:
                    continue
                extra = replace(extra, options=(ANY, *labels))
            elif isinstance(extra, Others):
                extra = replace(extra, options=abroad if extra.abroad else others)
                default = default or extra.options[: extra.start]
            if isinstance(extra, Knob):
                specs.append(Spec(name, extra, default))
    return tuple(specs)


def check(specs: Sequence[Spec], values: Mapping[str, Any]) -> dict[str, Any]:
    """Every knob's value, checked, with the default where none was sent.

    Raises:
        Refused: a value is out of its limits, or no such knob exists.
    """
    known = {spec.name for spec in specs}
    for name in values:
        if name not in known:
            can = f"it has {', '.join(sorted(known))}" if known else "it has none"
            raise Refused(f"There is no knob {_shown(name)} here; {can}.")
    return {s.name: s.knob.check(s.name, values.get(s.name, s.default)) for s in specs}


def decode_picture(data: bytes) -> np.ndarray:
    """A picture file's pixels, (height, width, 3) uint8, upright, on white where it is transparent.

    Raises:
        Refused: the bytes are no picture, a broken one, or one of more than ``MAX_PIXELS``.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP", "GIF"))
        if image.width * image.height > MAX_PIXELS:
            raise Refused(
                f"That picture has {image.width} x {image.height} pixels; "
                f"at most {MAX_PIXELS // 10**6} million are taken. Make it smaller and try again."
            )
        rgba = ImageOps.exif_transpose(image).convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return np.asarray(Image.alpha_composite(white, rgba).convert("RGB"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused("That picture is far too large; make it smaller and try again.") from None
    except Refused:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error):
        raise Refused("That file is not a picture this page can read: send a PNG, JPEG, WebP or GIF.") from None


def _shown(value: Any) -> str:
    return _SHORT.repr(value)


_SHORT = reprlib.Repr()  # looks at the head of a value only, however long it is
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 40
_SHORT.maxlist = _SHORT.maxdict = _SHORT.maxtuple = 3
_SHORT.maxlevel = 2
