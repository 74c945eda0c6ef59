"""What the Latent page asks the server besides running activities: the shelf, one picture, a trail as a film."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from playground.backends import Backend, Request
from playground.export import gif
from playground.knobs import Refused
from playground.ui.functions import Answer, answer
from playground.ui.functions import functions as questions
from playground.video import mp4
from playground.views import Film

FRAMES, SIDE = 240, 256  # the most pictures in a film, the longest side of each


def functions(backend: Backend) -> list[Callable[[Any], Answer]]:
    """The functions of the page, over ``backend``."""

    @answer
    def latent_film(asked: Answer) -> Answer:
        request = Request.from_json(asked.get("request")).to_json()
        name, data = film(pictures(asked.get("shape"), asked.get("b64")), asked.get("format", "gif"), request)
        return {"name": name, "b64": base64.b64encode(data).decode()}

    shared = [function for function in questions(backend) if function.__name__ in ("describe", "views")]
    return [*shared, latent_film]


def film(frames: np.ndarray, format: Any, request: Answer) -> tuple[str, bytes]:
    """A file's name and its bytes, of pictures (frames, height, width, channels) uint8.

    Raises:
        Refused: there is no such format.
    """
    if format not in ("gif", "mp4"):
        raise Refused("A trail is saved as gif or as mp4.")
    data = mp4(frames, request) if format == "mp4" else gif([Film(pixels=frames[:, None])], request)
    return f"{request['model']}-trail.{format}", data


def pictures(shape: Any, b64: Any) -> np.ndarray:
    """Pictures as the page sends them, (frames, height, width, channels) uint8.

    Raises:
        Refused: they are too many, too large, or not what they say.
    """
    fits = isinstance(shape, list) and len(shape) == 4 and all(isinstance(n, int) and n > 0 for n in shape)
    if not fits or shape[0] > FRAMES or max(shape[1:3]) > SIDE or shape[3] not in (1, 3):
        raise Refused(f"A trail has 1 to {FRAMES} pictures of at most {SIDE} x {SIDE} pixels, grey or in colour.")
    try:
        data = base64.b64decode(b64 if isinstance(b64, str) else "", validate=True)
    except binascii.Error:
        data = b""
    if len(data) != math.prod(shape):
        raise Refused("The trail's pictures did not arrive whole; try again.")
    return np.frombuffer(data, np.uint8).reshape(shape)
