"""Where data come from: the folder named by ``PLAYGROUND_DATA``, then the Hugging Face Hub, then one clear sentence."""

from __future__ import annotations

import io
import lzma
import math
import os
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np

from playground.data import DataMissing, Split

Pictures = tuple[np.ndarray, np.ndarray]

VALID = 10_000  # pictures at the end of the official training set: the validation split
TIMEOUT = 3.0  # seconds the Hub has for its first answer: somebody has clicked and is waiting
PAUSE = 60.0  # seconds that a failure to reach the Hub is remembered, so that the next click does not wait again
UNREADABLE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)

_kept: dict[tuple[Path, str], Pictures] = {}
_locks: dict[tuple[str, str], Lock] = {}
_failures: dict[tuple[str | None, str], tuple[float, str]] = {}


@dataclass(frozen=True)
class Grey28:
    """A data set of the form of MNIST: 28x28 grey pictures, ten classes, an official training and test set.

    Args:
        name: the data set's name, as ``python -m playground.data`` takes it.
        title: as people call it.
        file: its file in the folder of ``PLAYGROUND_DATA``, with x_train, y_train, x_test and y_test.
        repo: its repository on the Hub.
        folder: the folder in that repository.
    """

    name: str
    title: str
    file: str
    repo: str
    folder: str

    def read(self, split: Split) -> Pictures:
        """Pictures (n, 1, 28, 28) uint8 and labels (n,) int64; ``train`` and ``valid`` share memory.

        Raises:
            DataMissing: neither in the folder nor on the Hub, or there but unreadable.
        """
        part = "test" if split == "test" else "train"
        with _locks.setdefault((self.file, part), Lock()):  # of several threads the first decodes, the others wait
            path = self.path(split)
            x, y = keep(path, part, lambda: self._decode(path, part))
        cut = len(x) - VALID
        rows = {"train": slice(0, cut), "valid": slice(cut, None), "test": slice(None)}[split]
        return x[rows], y[rows]

    def path(self, split: Split) -> Path:
        """The file that holds a split, downloaded if it must be.

        Raises:
            DataMissing: as for ``read``.
        """
        part = "test" if split == "test" else "train"
        try:
            return local_file(self.file) or hub_file(self.repo, f"{self.folder}/{part}-00000-of-00001.parquet")
        except Unreachable as error:
            raise DataMissing(
                f"{self.title} is not on this machine: set PLAYGROUND_DATA to a folder that holds {self.file}, or have "
                f"it downloaded once, with a network, by `python -m playground.data {self.name}` ({error})."
            ) from error

    def where(self, split: Split) -> str:
        """Where a split comes from: ``path``, as text."""
        return str(self.path(split))

    def _decode(self, path: Path, part: str) -> Pictures:
        if path.suffix == ".parquet":
            x, y = parquet(path)
        else:
            x, y = arrays(path, f"x_{part}", f"y_{part}")
        if x.shape != (len(y), 28, 28) or x.dtype != np.uint8:
            raise DataMissing(f"{path} does not hold {self.title} (pictures {x.dtype} {x.shape}); replace the file.")
        return x[:, None], y.astype(np.int64)  # (n, 1, 28, 28), (n,)


def local_file(name: str) -> Path | None:
    """The file called ``name`` in the folder of ``PLAYGROUND_DATA``, or None."""
    folder = os.environ.get("PLAYGROUND_DATA")
    path = Path(folder) / name if folder else None
    return path if path and path.is_file() else None


def only_file(name: str, title: str, hub: str) -> Path:
    """A file that cannot be fetched.

    Args:
        name: of the file in the folder of ``PLAYGROUND_DATA``.
        title: what it holds, with its verb, as a sentence begins.
        hub: what there is on the Hub instead.

    Raises:
        DataMissing: it is not there.
    """
    path = local_file(name)
    if path is None:
        raise DataMissing(f"{title} not on this machine: set PLAYGROUND_DATA to a folder that holds {name} ({hub}).")
    return path


class Unreachable(Exception):
    """The Hub did not give a file; the text is its reason."""


def hub_file(repo: str, file: str) -> Path:
    """A file of a data set on the Hub: the copy in its cache, without asking, else a download into it.

    ``HF_ENDPOINT`` is read at each call; ``HF_HUB_OFFLINE`` and the cache's place are huggingface_hub's own affair.

    Raises:
        Unreachable: it is not in the cache and could not be fetched now or within the last minute.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache

    cached = try_to_load_from_cache(repo, file, repo_type="dataset")
    if isinstance(cached, str):
        return Path(cached)
    endpoint = os.environ.get("HF_ENDPOINT") or None
    when, reason = _failures.get((endpoint, repo), (-math.inf, ""))
    if now() - when < PAUSE:
        raise Unreachable(reason)
    try:
        # hf_hub_download repeats a first question that fails for half a minute; asked here, it is asked once.
        url = hf_hub_url(repo, file, repo_type="dataset", endpoint=endpoint)
        get_hf_file_metadata(url, token=False, timeout=TIMEOUT)
        return Path(hf_hub_download(repo, file, repo_type="dataset", endpoint=endpoint, token=False))
    except Exception as error:  # which errors come through depends on the HTTP library of the installed version
        reason = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
        _failures[endpoint, repo] = (now(), reason)
        raise Unreachable(reason) from error


def now() -> float:
    """Seconds on a clock that only goes forward."""
    return time.monotonic()


def keep(path: Path, part: str, decode: Callable[[], Pictures]) -> Pictures:
    """What ``decode`` gives, the first time, and the same arrays ever after. Call it with the file's lock held."""
    if (path, part) not in _kept:
        _kept[path, part] = decode()
    return _kept[path, part]


def arrays(path: Path, *names: str) -> Sequence[np.ndarray]:
    """Arrays of an npz file, by name.

    Raises:
        DataMissing: the file is truncated, of another form, or lacks one of them.
    """
    try:
        with path.open("rb") as file, np.load(file) as z:  # numpy does not close a damaged file that it opened
            return [z[name] for name in names]
    except UNREADABLE as error:
        raise DataMissing(
            f"{path} cannot be read ({_first(error)}): copy it there again, or unset PLAYGROUND_DATA to do without it."
        ) from error


def parquet(path: Path) -> Pictures:
    """Pictures (n, height, width) uint8 and labels (n,) of a parquet file in the Hub's form, PNG by PNG.

    60,000 pictures take 2 to 5 seconds on a laptop's core.

    Raises:
        DataMissing: the file is truncated or of another form.
    """
    import pyarrow
    import pyarrow.parquet
    from PIL import Image

    try:
        table = pyarrow.parquet.read_table(path, columns=["image", "label"])
        pngs = table["image"].combine_chunks().field("bytes").to_pylist()
        x = np.stack([np.asarray(Image.open(io.BytesIO(png))) for png in pngs])
        return x, table["label"].to_numpy()
    except (*UNREADABLE, TypeError, pyarrow.ArrowException) as error:
        raise DataMissing(f"{path} cannot be read ({_first(error)}): delete it, and it is downloaded again.") from error


def _first(error: Exception) -> str:
    return (str(error).strip().split("\n")[0] or type(error).__name__).rstrip(".")
