"""A map of a model's representation: test pictures laid out by their codes, and how well codes know the class."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import Annotated, Any

import numpy as np
from torch import Tensor

from playground.capabilities import Encodes
from playground.data import Dataset
from playground.knobs import Choice, Refused, Slider
from playground.maps import STEPS, laid_out, named_by_neighbours, principal
from playground.pictures import to_data
from playground.rng import Rng
from playground.views import Images, Progress, Scatter, Table, View

ORDER = 115
PAGE = "latent"
WAYS = ("t-SNE", "PCA")
FEWEST = 50
NEIGHBOURS = 10
PATIENCE = 20.0  # seconds that coding may take: a slow encoder then gets fewer pictures
FIRST, MOST = 8, 128  # pictures coded at a time, to begin with and at the most
BYTES = 6_000_000  # of pictures, which travel to the page whole
EVERY = 0.5  # seconds between two maps on the way


def embed(
    model: Encodes,
    rng: Rng,
    *,
    data: Dataset,
    title: str,
    way: Annotated[str, Choice(*WAYS, help="how codes are laid out on a plane")] = WAYS[0],
    n: Annotated[int, Slider(FEWEST, 2000, 50, help="test pictures")] = 500,
    perplexity: Annotated[int, Slider(5, 100, 5, help="how many neighbours t-SNE tries to keep, about")] = 30,
    **own: Any,
) -> Iterator[View]:
    """Lay test pictures out by their codes: what the model finds alike lies together."""
    started = time.perf_counter()
    levels, classes, note = data.examples()
    wanted = min(n, len(levels), BYTES // levels[0].size)
    chosen = Rng(rng.seed, 1).uniform(len(levels))[0].argsort()[:wanted].numpy()
    codes = yield from _coded(model, to_data(levels[chosen], rng.device), own)
    many, size = codes.shape
    levels, classes = levels[chosen[:many]], classes[chosen[:many]]
    if not (np.isfinite(codes).all() and codes.std(0).max() > 1e-6):
        raise Refused(f"{title} gives all pictures the same code, or no number: there is nothing to map.")
    yield Images(key="pictures", pixels=np.ascontiguousarray(levels.transpose(0, 2, 3, 1)))
    yield Progress(done=0, total=1, text="finding the main directions")
    places, share = principal(codes.astype(np.float64), rng.seed)
    few = f" {title} codes slowly: {wanted} would have taken too long." if many < wanted else ""
    few += f" More than {wanted} would be too much to send." if wanted < min(n, len(data.examples()[0])) else ""

    def scatter(points: np.ndarray, text: str, axes: tuple[str, str], whole: bool) -> Scatter:
        return Scatter(
            points=points[:, :2].astype(np.float32),
            classes=classes.astype(np.uint8),
            labels=data.labels,
            axes=axes,
            title=title,
            caption=f"{many:,} test pictures, chosen by the seed. {text}{few}{f' {note}' if note else ''}",
            seconds=time.perf_counter() - started if whole else None,
        )

    text = f"The two directions in which codes vary most, with {100 * share:.0f} % of their variance."
    yield scatter(places, text, ("first main direction", "second main direction"), way == "PCA")
    spaces = {f"codes, {size} numbers": codes, f"pictures, {levels[0].size} pixels": levels.reshape(many, -1) / 255.0}
    yield _neighbours(spaces, classes)
    if way == "t-SNE":
        held = min(perplexity, (many - 1) // 3)
        text = (
            f"t-SNE (van der Maaten and Hinton 2008) with perplexity {held}, from the main directions. Who is near is"
            " alike; how large groups are, and how far apart, says little."
        )
        shown = 0.0
        for places, done in laid_out(places, held, rng.seed):  # noqa: B020 - where it ends is what counts
            yield Progress(done=done, total=STEPS, text=f"laying out, step {done} of {STEPS}")
            if done == STEPS or time.perf_counter() - shown > EVERY:
                shown = time.perf_counter()
                yield scatter(places, text, ("", ""), done == STEPS)
    yield _neighbours(spaces | {f"the map, 2 numbers by {way}": places[:, :2]}, classes)


def _coded(model: Encodes, x: Tensor, own: dict[str, Any]) -> Generator[View, None, np.ndarray]:
    """Codes (m, size) of the first m of pictures x, as many as are coded in time, with progress on the way."""
    begun, parts, done, size = time.monotonic(), [], 0, FIRST
    while done < len(x) and (size > 0 or done < FEWEST):
        yield Progress(done=done, total=len(x), text=f"coding {len(x)} pictures")
        code = model.encode(x[done : done + max(size, FIRST)], **own).flatten(1).float()
        parts.append(code.cpu().numpy())
        done += len(code)
        spent = time.monotonic() - begun
        size = min(2 * len(code), MOST, int(done * (PATIENCE - spent) / max(spent, 1e-3)))
    return np.concatenate(parts)


def _neighbours(spaces: dict[str, np.ndarray], classes: np.ndarray) -> Table:
    k = min(NEIGHBOURS, len(classes) - 1)
    found = {name: named_by_neighbours(codes, classes, k) for name, codes in spaces.items()}
    return Table(
        key="neighbours",
        columns=("nearest neighbours among", "right class"),
        rows=tuple((name, f"{100 * share:.1f} ± {100 * error:.1f} %") for name, (share, error) in found.items()),
        caption=(
            f"Each of the {len(classes):,} pictures is given the class that most of the {k} others nearest to it have"
            " (k-nearest neighbours, leave-one-out, Euclidean distance): how often that is right, ± one binomial"
            " standard error."
        ),
    )
