"""How good the judge itself is: test accuracy and calibration."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torchmetrics.functional.classification import multiclass_calibration_error

from playground.capabilities import Classifies
from playground.catalog import Metric
from playground.evaluation.parts import Part, Task, rounded
from playground.evaluation.pictures import Pictures, real

BINS = 15


@torch.no_grad()
def scores(task: Task, x: Tensor) -> Tensor:
    """Class scores before the softmax, (n, classes)."""
    assert isinstance(task.model, Classifies)
    return torch.cat([task.model.classify(part) for part in x.split(500)])


def labels(pictures: Pictures) -> Tensor:
    """The classes of pictures that have them, (n,) int64."""
    assert pictures.label is not None
    return pictures.label


def accuracy(test: Pictures, guess: Tensor) -> Metric:
    """The share of right guesses, with its binomial standard error."""
    n, share = len(guess), float(guess.eq(labels(test)).double().mean())
    stderr = math.sqrt(share * (1 - share) / n)
    protocol = f"Share of {test.words} whose class is named rightly; binomial standard error."
    return Metric(rounded(share), rounded(stderr), n, "estimate", "test", protocol)


def measure(task: Task) -> dict[str, Metric]:
    """Accuracy on 8-bit and on binarised pictures, as it judges both; calibration on the former.

    The expected calibration error is that of Guo et al. 2017, arXiv:1706.04599, equation 3.
    """
    grey = real(task.card.data, "8-bit pixels", "test", task.options.limit)
    black = real(task.card.data, "binary pixels", "test", task.options.limit)
    probabilities = scores(task, grey.x).softmax(1)
    error = multiclass_calibration_error(probabilities, labels(grey), len(task.card.labels), BINS, norm="l1")
    protocol = f"Expected calibration error on {grey.words}: mean gap of confidence and accuracy in {BINS} bins."
    return {
        "accuracy": accuracy(grey, probabilities.argmax(1)),
        "accuracy_binarised": accuracy(black, scores(task, black.x).argmax(1)),
        "calibration_error": Metric(rounded(float(error)), None, len(grey.x), "estimate", "test", protocol),
    }


part = Part(
    "classification",
    fits=lambda task: isinstance(task.model, Classifies),
    settings=lambda task: {"pictures": task.options.limit, "bins": BINS},
    measure=measure,
)
