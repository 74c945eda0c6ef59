"""Messages between the server and its workers: a JSON header and raw bytes, each with its length. No pickle."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

LENGTH = struct.Struct(">I")

Message = tuple[dict[str, Any], dict[str, bytes]]


def write(stream: BinaryIO, header: Mapping[str, Any], blobs: Mapping[str, bytes] | None = None) -> None:
    """Write one message: 4 bytes of length and a JSON object, then the same for each of its blobs.

    Raises:
        OSError: nobody reads any more.
    """
    blobs = blobs or {}
    head = json.dumps({**header, "blobs": list(blobs)}, separators=(",", ":")).encode()
    parts = (head, *blobs.values())
    stream.write(b"".join(piece for part in parts for piece in (LENGTH.pack(len(part)), part)))
    stream.flush()


def read(stream: BinaryIO) -> Message | None:
    """The next message, as it was written; None at the end, also when the writer died in the middle of one."""
    head = _part(stream)
    if head is None:
        return None
    header = json.loads(head)
    blobs = {}
    for name in header.pop("blobs"):
        part = _part(stream)
        if part is None:
            return None
        blobs[name] = part
    return header, blobs


def _part(stream: BinaryIO) -> bytes | None:
    size = stream.read(LENGTH.size)
    if len(size) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(size)
    part = stream.read(length)
    return part if len(part) == length else None
