"""From outlines to pictures: is the outline kept, do the pictures look real, and do they differ from draw to draw?

Test pictures' outlines, which no model has seen, are given: clean ones, and ones drawn by a shaky hand as in training.
Beside a model stands the nearest training picture: that whose outline is the most like the one given.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from playground.capabilities import Translates
from playground.catalog import Metric
from playground.evaluation.fidelity import Judge, check_enough, distances, judge_of
from playground.evaluation.parts import Part, Task, rounded
from playground.evaluation.pictures import SEED, Pictures, described, real, sample_knobs
from playground.evaluation.progress import shared
from playground.rng import Rng

MOST = 1000  # outlines
CHUNK = 50
REACH = 1.5  # pixels: one to any side, diagonally too
INK = 0.5
DRAWS = 8  # from each of as many outlines as ``REROLLED``
REROLLED = 50
BLUR = 5  # pixels across: outlines a little apart are alike
KINDS = {"": "clean", "_by_hand": "shaky"}
WORDS = {
    "": "the clean outlines",
    "_by_hand": "outlines bent, thickened, thinned and broken at random as in training",
}


def likeness(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """F1 and chamfer distance of two line drawings, (height, width) bool each.

    F1 is of the share of ink of ``one`` within a pixel of ``other``'s, and the reverse; the chamfer distance the mean
    distance, in pixels, of ink to the other's nearest ink, over both directions. Without ink there is nothing alike: 0,
    and the frame's diagonal.
    """
    if not one.any() or not other.any():
        return 0.0, math.hypot(*one.shape)
    there, back = distance_transform_edt(~other)[one], distance_transform_edt(~one)[other]
    precision, recall = float((there < REACH).mean()), float((back < REACH).mean())
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return f1, float(there.mean() + back.mean()) / 2


def faithfulness(model: Translates, sketch: Tensor, x: Tensor, suffix: str, words: str) -> dict[str, Metric]:
    """How like the outlines given, (n, 1, h, w), those of pictures (n, *shape) are, as metrics."""
    again = torch.cat([model.outline(part) for part in x.split(500)])
    pairs = zip((sketch > INK).squeeze(1).numpy(), (again > INK).squeeze(1).numpy(), strict=True)
    values = np.array([likeness(given, found) for given, found in pairs])
    n, (f1, chamfer) = len(values), values.mean(0)
    errors = values.std(0, ddof=1) / math.sqrt(n)
    how = f"between outlines given and the clean outlines of {words}; the standard error is over outlines."
    say = f"Mean F1 of ink (above {INK}) within one pixel, diagonals included, {how}"
    far = f"Mean distance of ink to the other's nearest ink, in pixels, both ways, {how}"
    return {
        f"outline_f1{suffix}": Metric(rounded(f1), rounded(errors[0]), n, "estimate", "test", say),
        f"outline_chamfer{suffix}": Metric(rounded(chamfer), rounded(errors[1]), n, "estimate", "test", far),
    }


@torch.no_grad()
def translated(task: Task, sketch: Tensor, rng: Rng, what: str) -> Tensor:
    """One picture of each outline, rounded to 8 bits, every knob at its default."""
    assert isinstance(task.model, Translates)
    parts = []
    with task.bar(len(sketch), what) as bar:
        for index in torch.arange(len(sketch)).split(CHUNK):
            for state in task.model.translate(sketch[index], rng.pick(index.tolist())):  # noqa: B007
                pass
            parts.append(state.x.clamp(0, 1).mul(255).round() / 255)
            bar.update(len(index))
    return torch.cat(parts)


def given(task: Task, x: Tensor) -> dict[str, Tensor]:
    """The outlines of pictures, by the ending of their metrics."""
    assert isinstance(task.model, Translates)
    by_hand = task.model.outline_by_hand(x, torch.Generator().manual_seed(SEED))
    return {"": task.model.outline(x), "_by_hand": by_hand}


def nearest(model: Translates, sketches: Tensor, train: Tensor) -> Tensor:
    """For each outline, (n,), the index of the training picture whose blurred clean outline is nearest to its own."""

    def blurred(ink: Tensor) -> Tensor:
        return torch.nn.functional.avg_pool2d(ink, BLUR, 1, BLUR // 2).flatten(1)

    wanted = blurred(sketches)
    best = torch.full((len(sketches),), math.inf)
    which = torch.zeros(len(sketches), dtype=torch.int64)
    for index in torch.arange(len(train)).split(1000):
        known = blurred(model.outline(train[index]))
        far, row = (known.square().sum(1) - 2 * wanted @ known.T).min(1)
        closer = far < best
        best, which = torch.where(closer, far, best), torch.where(closer, index[row], which)
    return which


def baseline(task: Task, judge: Judge, test: Pictures) -> dict[str, Metric]:
    """What the nearest training pictures and the true pictures themselves reach, and as many training pictures."""
    assert isinstance(task.model, Translates)
    train, sketches = real(task.card.data, "8-bit pixels", "train"), given(task, test.x)
    which = nearest(task.model, torch.cat(list(sketches.values())), train.x).split(len(test.x))
    found: dict[str, Metric] = {}
    for (suffix, sketch), index in zip(sketches.items(), which, strict=True):
        x = train.x[index]
        words = f"the training pictures whose outlines, blurred over {BLUR} pixels, are nearest to {WORDS[suffix]} of "
        near = Pictures(x, None, words + test.words)
        found |= faithfulness(task.model, sketch, x, f"{suffix}_nearest", near.words)
        found[f"outline_frechet{suffix}_nearest"] = distances(judge, near, test, ("frechet",))["frechet"]
    found |= faithfulness(
        task.model, sketches["_by_hand"], test.x, "_by_hand_truth", f"{test.words} themselves, {WORDS['_by_hand']}"
    )
    others = real(task.card.data, "8-bit pixels", "train", len(test.x))
    return found | {"outline_frechet_floor": distances(judge, others, test, ("frechet",))["frechet"]}


def apart(x: Tensor) -> Tensor:
    """The mean root mean square difference of pixels, (n,), over all pairs of draws (n, draws, *shape)."""
    draws = x.shape[1]
    pairs = torch.triu_indices(draws, draws, 1)
    return (x[:, pairs[0]] - x[:, pairs[1]]).square().flatten(2).mean(2).sqrt().mean(1)


def diversity(task: Task, test: Pictures) -> dict[str, Metric]:
    """How much pictures of one outline differ, and how much pictures of one class do."""
    assert test.label is not None
    outlines = given(task, test.x[:REROLLED])[""]
    n = len(outlines)
    x = translated(task, outlines.repeat_interleave(DRAWS, 0), Rng(SEED + 1, n * DRAWS), "drawing again")
    far = apart(x.unflatten(0, (n, DRAWS)))
    groups = [test.x[test.label == c][:DRAWS] for c in test.label.unique()]
    kin = torch.stack([apart(group[None]).squeeze() for group in groups if len(group) == DRAWS])
    words = f"Mean root mean square difference of pixels in [0, 1], over all pairs of {DRAWS}"
    ours = f"{words} draws of each of {n} clean test outlines; the standard error is over outlines."
    theirs = f"{words} test pictures of each class; the standard error is over classes."
    found = {"outline_diversity": (far, ours), "outline_diversity_class": (kin, theirs)}
    return {
        key: Metric(
            rounded(float(v.mean())), rounded(float(v.std()) / math.sqrt(len(v))), len(v), "estimate", "test", how
        )
        for key, (v, how) in found.items()
    }


def measure(task: Task) -> dict[str, Metric]:
    """Faithfulness and Frechet distance of clean and shaky outlines beside their baselines, and diversity."""
    assert isinstance(task.model, Translates)
    judge = judge_of(task)
    check_enough(task, judge.model.feature_size)
    test = real(task.card.data, "8-bit pixels", "test", min(MOST, task.options.n))
    key = {"data": task.card.data, "judge": judge.card.sha256, **fixed(task)}
    found = dict(shared(task, "outlines", key, lambda: baseline(task, judge, test)))
    for suffix, sketch in given(task, test.x).items():
        x = translated(task, sketch, Rng(SEED, len(sketch)), f"{KINDS[suffix]} outlines")
        how = f"{described(sample_knobs(task), {})}; random stream i of seed {SEED}"
        words = f"pictures drawn from {WORDS[suffix]} of {test.words} ({how})"
        fake = Pictures(x, None, words)
        found |= faithfulness(task.model, sketch, x, suffix, words)
        found[f"outline_frechet{suffix}"] = distances(judge, fake, test, ("frechet",))["frechet"]
        if suffix:
            found |= accuracy(judge, fake, test)
    return found | diversity(task, test)


def accuracy(judge: Judge, fake: Pictures, test: Pictures) -> dict[str, Metric]:
    """How often the judge sees in a picture the class of the one whose outline was given; nobody told the class."""
    assert test.label is not None
    n, share = len(fake.x), float((judge.classes(fake.x) == test.label).float().mean())
    words = f"Share of {fake.words} that {judge.card.name} takes for the class of the picture that had the outline; "
    error = math.sqrt(share * (1 - share) / n)
    how = words + "binomial standard error."
    return {"outline_accuracy": Metric(rounded(share), rounded(error), n, "estimate", "test", how)}


def fixed(task: Task) -> dict[str, Any]:
    """What the measurements depend on besides weights and judge."""
    return {"n": min(MOST, task.options.n), "seed": SEED, "reach": REACH, "ink": INK, "blur": BLUR}


part = Part(
    "translation",
    fits=lambda task: isinstance(task.model, Translates),
    settings=lambda task: {
        "judge": judge_of(task).card.sha256, "draws": [REROLLED, DRAWS], **fixed(task)
    },
    measure=measure,
)  # fmt: skip
