"""Films that players take: even sides, yuv420p, the index in front, every picture in its place."""

from __future__ import annotations

import io
import json

import av
import numpy as np
import pytest

from playground.knobs import Refused
from playground.ui.trails import film
from playground.video import PAUSE, RATE, mp4


@pytest.mark.parametrize("shape", [(6, 28, 28, 1), (6, 27, 29, 3), (1, 8, 8, 1)])
def test_an_mp4_holds_the_pictures(shape: tuple[int, ...]) -> None:
    steps = np.linspace(20, 230, shape[0]).reshape(-1, 1, 1, 1)
    side = np.linspace(0, 1, shape[2]).reshape(1, 1, -1, 1) > 0.5
    pictures = np.broadcast_to(np.where(side, steps, 255 - steps), shape).astype(np.uint8)
    data = mp4(pictures, {"model": "it"})
    assert data.index(b"moov") < data.index(b"mdat")  # it begins to play before all of it has come
    with av.open(io.BytesIO(data)) as opened:
        (stream,) = opened.streams
        assert stream.codec_context.name == "h264" and stream.pix_fmt == "yuv420p"
        assert stream.width % 2 == 0 and stream.height % 2 == 0 and stream.average_rate == RATE
        assert json.loads(opened.metadata["comment"]) == {"model": "it"}
        frames = [frame.to_ndarray(format="rgb24") for frame in opened.decode(stream)]
    assert len(frames) == len(pictures) + PAUSE
    for frame, picture in zip(frames, pictures, strict=False):
        for x in (0.25, 0.75):
            there = frame[frame.shape[0] // 2, int(x * frame.shape[1])].astype(int)
            assert np.abs(there - picture[shape[1] // 2, int(x * shape[2])]).max() <= 6


def test_other_formats_are_refused() -> None:
    frames = np.zeros((2, 8, 8, 1), np.uint8)
    request = {"model": "it", "activity": "plane", "knobs": {}, "seed": 1}
    assert film(frames, "gif", request)[1][:3] == b"GIF"
    with pytest.raises(Refused, match="gif or as mp4"):
        film(frames, "avi", request)
