"""Pictures as an MP4 film that every player and slide program takes: H.264, yuv420p, even sides, index in front."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

RATE = 24  # frames a second
PAUSE = 36  # frames that the last picture stays, time to look at it
SIDE = 448  # pixels of the longer side, about
QUALITY = 16  # x264's constant rate factor: below 18 nothing is seen of the compression


def mp4(pictures: np.ndarray, request: dict[str, Any]) -> bytes:
    """The film of pictures (frames, height, width, channels) uint8, enlarged by a whole number without smoothing.

    Args:
        pictures: grey or in colour.
        request: what they were made with, which goes into the film's comment.
    """
    import av  # imported where it is used: 60 MB of libraries that most visitors never need

    scale = max(1, SIDE // max(pictures.shape[1:3]))
    height, width = (scale * side + scale * side % 2 for side in pictures.shape[1:3])
    with tempfile.TemporaryDirectory() as folder:  # moving the index to the front reads the film again, from a file
        path = Path(folder, "film.mp4")
        with av.open(path, "w", format="mp4", options={"movflags": "faststart"}) as film:
            film.metadata["comment"] = json.dumps(request)
            stream = film.add_stream("libx264", rate=RATE, options={"crf": str(QUALITY), "preset": "medium"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for i in [*range(len(pictures)), *[len(pictures) - 1] * PAUSE]:
                colour = np.ascontiguousarray(np.broadcast_to(pictures[i], (*pictures.shape[1:3], 3)))
                large = Image.fromarray(colour).resize((width, height), Image.Resampling.NEAREST)
                film.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(large), format="rgb24")))
            film.mux(stream.encode())
        return path.read_bytes()
