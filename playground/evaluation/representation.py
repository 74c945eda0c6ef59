"""What a code knows of the class: linear probe and nearest neighbours, beside pixels, PCA and an untrained encoder.

The linear probe is that of Alain and Bengio 2017, arXiv:1610.01644: the encoder stays as it is.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from playground import catalog
from playground.capabilities import Encodes
from playground.catalog import Metric
from playground.evaluation.classification import labels
from playground.evaluation.parts import Part, Task, rounded
from playground.evaluation.pictures import SEED, Pictures, real
from playground.evaluation.progress import shared
from playground.knobs import Refused

FEW = 1000  # labels
STRENGTHS = (0.01, 0.1, 1.0)  # scikit-learn's C, of which the validation split chooses
ITERATIONS = 300
KS = (1, 3, 5, 10, 20)  # neighbours, likewise
CHUNK = 500
TRIAL = 20  # pictures to time
LONGEST = 600.0  # seconds of one processor to encode: fewer pictures, and only FEW labels, if it would take longer

Encoder = Callable[[Tensor], Tensor]  # of pictures (n, *shape), to codes of any shape


@dataclass(frozen=True)
class Sets:
    """Pictures to fit to, to choose by and to count on; and which of the first have labels, by the end of a key."""

    train: Pictures
    valid: Pictures
    test: Pictures
    amounts: dict[str, Tensor]


def neighbours(train: Tensor, x: Tensor, k: int) -> Tensor:
    """The indices (n, k) of the nearest of ``train``, (m, d), to each of ``x``, (n, d), nearest first."""
    half = train.square().sum(1) / 2
    return torch.cat([(part @ train.T - half).topk(k).indices for part in x.split(CHUNK)])


def vote(labels: Tensor, k: int, classes: int) -> Tensor:
    """The class (n,) that most of the first ``k`` neighbours' labels (n, K) say; of equally many, the first."""
    return torch.nn.functional.one_hot(labels[:, :k], classes).sum(1).argmax(1)


def knn(train: Tensor, label: Tensor, valid: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> float:
    """Test accuracy of the majority of the nearest neighbours, as many as serve the validation pictures best."""
    classes, most = int(label.max()) + 1, min(max(KS), len(train))

    def accuracies(x: Tensor, y: Tensor) -> list[float]:
        named = label[neighbours(train, x, most)]
        return [float((vote(named, k, classes) == y).double().mean()) for k in KS]

    best = torch.tensor(accuracies(*valid)).argmax()
    return accuracies(*test)[int(best)]


def probe(train: Tensor, label: Tensor, valid: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> float:
    """Test accuracy of logistic regression, as strongly regularised as serves the validation pictures best."""
    best, chosen = -1.0, None
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=ITERATIONS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # so many iterations are the protocol
            model.fit(train.numpy(), label.numpy())
        score = float(model.score(valid[0].numpy(), valid[1].numpy()))
        if score > best:
            best, chosen = score, model
    assert chosen is not None
    return float(chosen.score(test[0].numpy(), test[1].numpy()))


CLASSIFIERS = {
    "probe": (probe, f"Logistic regression (scikit-learn, C among {STRENGTHS}, at most {ITERATIONS} iterations)"),
    "knn": (knn, f"Majority of the nearest neighbours (k among {KS}, Euclidean)"),
}


@torch.no_grad()
def codes(task: Task, encoder: Encoder, x: Tensor, what: str) -> Tensor:
    """Flattened codes (n, d) of pictures (n, *shape)."""
    parts = []
    with task.bar(len(x), what) as bar:
        for part in x.split(CHUNK):
            parts.append(encoder(part).flatten(1).float())
            bar.update(len(part))
    return torch.cat(parts)


def scored(task: Task, encoder: Encoder, sets: Sets, words: str) -> dict[str, Metric]:
    """Test accuracies of both classifiers on few labels and, if all pictures are encoded, on all.

    Codes are centred and divided by one number, so that distances keep their proportions.

    Raises:
        Refused: the codes are not finite, or all the same.
    """
    z = [codes(task, encoder, pictures.x, words) for pictures in (sets.train, sets.valid, sets.test)]
    mean = z[0].mean(0)
    scale = (z[0] - mean).square().mean().sqrt()
    if not (scale > 1e-6 and scale.isfinite()):
        raise Refused(f"{task.card.name}: {words} are the same for all pictures, or are no numbers.")
    train, valid, test = ((each - mean) / scale for each in z)
    label, chooses, counts = (labels(pictures) for pictures in (sets.train, sets.valid, sets.test))
    found, n = {}, len(test)
    for amount, index in sets.amounts.items():
        for name, (classifier, how) in CLASSIFIERS.items():
            share = classifier(train[index], label[index], (valid, chooses), (test, counts))
            protocol = (
                f"{how} on {words}, centred and of mean variance 1; fitted to {len(index):,} of the labels of "
                f"{sets.train.words}, chosen among by {sets.valid.words}: share of {sets.test.words} whose class is "
                "named rightly; binomial standard error."
            )
            stderr = rounded(math.sqrt(share * (1 - share) / n))
            found[f"{name}_{amount}"] = Metric(rounded(share), stderr, n, "estimate", "test", protocol)
    return found


def affordable(task: Task, encoder: Encoder) -> Sets:
    """All pictures, or as many as can be encoded in the time allowed.

    Raises:
        Refused: that is hardly any, or there are too few labels.
    """
    read = partial(real, task.card.data, "8-bit pixels")
    train, valid, test = read("train"), read("valid"), read("test")
    if len(train.x) < FEW:
        raise Refused(f"{task.card.name}: {len(train.x)} training pictures are too few for a probe with {FEW} labels.")
    begun = time.process_time()
    codes(task, encoder, train.x[:TRIAL], "a trial")
    seconds = (time.process_time() - begun) / TRIAL
    most = int(LONGEST / seconds)
    if most >= len(train.x) + len(valid.x) + len(test.x):
        few = torch.randperm(len(train.x), generator=torch.Generator().manual_seed(SEED))[:FEW]
        return Sets(train, valid, test, {str(FEW): few, "all": torch.arange(len(train.x))})
    if most < 3 * FEW:
        raise Refused(
            f"{task.card.name}: to encode {3 * FEW} pictures for a probe would take {3 * FEW * seconds / 60:.0f} min."
        )
    task.say(f"encoding takes {seconds:.2g} s each, so the probe has {FEW} labels and {most - 2 * FEW} test pictures.")
    train, valid, test = read("train", FEW), read("valid", FEW), read("test", most - 2 * FEW)
    return Sets(train, valid, test, {str(FEW): torch.arange(FEW)})


def principal(x: Tensor, size: int) -> Encoder:
    """The encoder that gives the first principal components of training pictures ``x``, (n, *shape)."""
    flat = x.flatten(1)
    mean = flat.mean(0)
    covariance = (flat - mean).T @ (flat - mean) / len(flat)
    axes = torch.linalg.eigh(covariance.double()).eigenvectors[:, -size:].float()  # eigenvalues ascend
    return lambda pictures: (pictures.flatten(1) - mean) @ axes


def untrained(card: catalog.Card) -> Encodes:
    """The card's model with the weights that a constructor draws."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = catalog.family_class(card)(**card.init)
    assert isinstance(model, Encodes)
    return model.eval().requires_grad_(False)


def measure(task: Task) -> dict[str, Metric]:
    """Both accuracies from the codes, and from what they should beat."""
    model = task.model
    assert isinstance(model, Encodes)
    sets, size = affordable(task, model.encode), math.prod(model.latent)
    pixels = math.prod(model.shape)
    found = scored(task, model.encode, sets, f"the {size} numbers of its code")
    key = {"data": task.card.data, "test": len(sets.test.x), "amounts": list(sets.amounts), **settings(task)}

    def baseline(name: str, of: dict[str, int], encoder: Callable[[], Encoder], words: str) -> None:
        beside = shared(task, name, {**key, **of}, lambda: scored(task, encoder(), sets, words))
        found.update({f"{k}_{name}": v for k, v in beside.items()})

    baseline("pixels", {}, lambda: lambda x: x, f"the {pixels} pixels")
    size = min(size, pixels)
    words = f"the first {size} principal components of the pixels"
    baseline("pca", {"size": size}, lambda: principal(sets.train.x, size), words)
    try:
        random = scored(task, untrained(task.card).encode, sets, f"the {size} numbers of an untrained encoder's code")
    except Refused as error:
        task.say(str(error))
        return found
    return found | {f"{k}_random": v for k, v in random.items()}


def settings(task: Task) -> dict[str, Any]:
    """The protocol."""
    return {"labels": FEW, "seed": SEED, "strengths": list(STRENGTHS), "ks": list(KS), "longest": LONGEST}


part = Part(
    "representation",
    fits=lambda task: isinstance(task.model, Encodes),
    settings=settings,
    measure=measure,
)
