"""Walk from one code to another by three ways: straight, around the centre, and the shortest in the decoder's eyes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
import torch

from playground.activities.interpolate import linear, spherical
from playground.capabilities import Decodes
from playground.data import Dataset
from playground.ends import End, end, same
from playground.knobs import CodeOf, Drawing, Others, Slider
from playground.pictures import to_pixels
from playground.rng import Rng
from playground.trips import Trip
from playground.views import Images, View

ORDER = 113
PAGE = "latent"
WAYS = {"linear": linear, "spherical": spherical}


def walk(
    model: Decodes,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    first: Annotated[str, CodeOf(help="whose code the walk begins with")] = "test-any-17",
    second: Annotated[str, CodeOf(help="whose code it ends with")] = "test-any-18",
    first_picture: Annotated[np.ndarray | None, Drawing(help="the first picture, if it is yours")] = None,
    second_picture: Annotated[np.ndarray | None, Drawing(help="the second picture, if it is yours")] = None,
    frames: Annotated[int, Slider(5, 49, help="pictures on each walk, both ends included")] = 17,
    others: Annotated[
        Mapping[str, Decodes], Others(most=1, start=0, help="a model to walk between the same pictures, beside it")
    ] = MappingProxyType({}),
    **own: Any,
) -> Iterator[View]:
    """Walk between two codes straight, around the centre and by the shortest way in the decoder's eyes."""
    named = ((first, first_picture), (second, second_picture))
    ends = [end(model, data, name, picture, title) for name, picture in named]
    seen = [one.x if one.x is not None else model.decode(one.code, **own) for one in ends]
    words = tuple(one.words for one in ends)
    yield Images(key="ends", pixels=to_pixels(torch.cat(seen)), captions=words, columns=2)
    yield from walked(model, title, ends, frames, "", rng, own)
    for name, other in others.items():
        theirs = [same(other, data, spec, one, name) for (spec, _), one in zip(named, ends, strict=True)]
        yield from walked(other, name, theirs, frames, " beside", rng, {})


def walked(
    model: Decodes, title: str, ends: list[End], frames: int, beside: str, rng: Rng, own: dict[str, Any]
) -> Iterator[View]:
    """One model's strips, as they come, then their figures and curves.

    Args:
        model: which.
        title: its title.
        ends: two of its codes.
        frames: pictures on each walk.
        beside: what its views' keys end in.
        rng: the visitor's seed.
        own: keywords of its ``decode``.
    """
    begun = time.perf_counter()
    t = torch.linspace(0, 1, frames, device=model.device)
    a, b = (one.code for one in ends)
    trip = Trip(model, title, partial(model.decode, **own), {way: go(a, b, t)[0] for way, go in WAYS.items()})
    caption = f"From {ends[0].words} to {ends[1].words}."

    def strips() -> Images:
        return trip.images(f"strips{beside}", caption, time.perf_counter() - begun)

    for way in WAYS:
        started = time.perf_counter()
        yield from trip.drawn(way)
        trip.each = (time.perf_counter() - started) / frames
        yield strips()
    yield from trip.shortened(a, b, WAYS)
    if "geodesic" in trip.codes:
        yield from trip.drawn("geodesic")
        trip.checked()
    yield strips()
    known = yield from trip.weighed(rng)
    yield trip.figures(f"lengths{beside}", known)
    if known is not None:
        yield trip.density(f"density{beside}", known)
    if model.normal_codes:
        yield trip.prior(f"prior{beside}")
