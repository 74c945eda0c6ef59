"""Answers to equal requests, kept up to a number of bytes; the least recently used go first."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Hashable

import numpy as np

from playground.views import View


class Cache:
    """A thread-safe store of complete results.

    Args:
        most: how many bytes of views to keep.
    """

    def __init__(self, most: int = 64_000_000) -> None:
        self.most = most
        self.bytes = 0
        self._kept: OrderedDict[Hashable, tuple[View, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> tuple[View, ...] | None:
        """The result of an equal request, or None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, views: tuple[View, ...]) -> None:
        """Keep a result, unless it alone is too large."""
        cost = weight(views)
        if cost > self.most:
            return
        with self._lock:
            self.bytes += cost - weight(self._kept.pop(key, ()))
            self._kept[key] = views
            while self.bytes > self.most:
                self.bytes -= weight(self._kept.popitem(last=False)[1])


def weight(views: tuple[View, ...]) -> int:
    """About how many bytes a result takes: its arrays, and 500 a view for the rest."""
    arrays = (getattr(v, f.name) for v in views for f in dataclasses.fields(v))
    return sum(a.nbytes for a in arrays if isinstance(a, np.ndarray)) + 500 * len(views)
