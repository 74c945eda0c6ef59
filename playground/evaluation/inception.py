"""Frechet and kernel distance in Inception features, as the literature has them (Heusel et al. 2017, arXiv:1706.08500).

On request only: the network's weights are fetched by torch-fidelity, and a picture costs a tenth of a second.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from playground.capabilities import Samples
from playground.catalog import Metric
from playground.evaluation.fidelity import check_enough, distances
from playground.evaluation.parts import Part, Task
from playground.evaluation.pictures import SEED, drawn, real
from playground.evaluation.progress import shared
from playground.knobs import Refused

FEATURES = 2048
CHUNK = 50


class Inception:
    """The last pooled features of Inception-v3 as FID has always used it."""

    words = f"the {FEATURES} pooled features of Inception-v3 (torch-fidelity's weights), grey as three equal channels"

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """Features (n, 2048), float64, of pictures (n, 1 or 3, height, width) in [0, 1]."""
        levels = x.mul(255).round().byte().expand(-1, 3, -1, -1)
        return torch.cat([self.network(part) for part in levels.split(CHUNK)]).double()


@cache
def network() -> nn.Module:
    """Inception-v3 through torchmetrics, which asks torch-fidelity for it.

    Raises:
        Refused: torch-fidelity is not installed, or its weights are neither here nor reachable.
    """
    from torchmetrics.image.fid import NoTrainInceptionV3

    try:
        return NoTrainInceptionV3("inception-v3-compat", [str(FEATURES)]).eval()
    except ModuleNotFoundError:
        reason = "torch-fidelity is not installed: pip install torch-fidelity"
    except OSError as error:  # of the download
        reason = f"its weights cannot be fetched ({error})"
    raise Refused(
        f"Inception features cannot be had here: {reason}. The part fidelity has those of our own classifier."
    )


def measure(task: Task) -> dict[str, Metric]:
    """Both distances to the test pictures in 8 bits, with the floor that as many training pictures reach."""
    check_enough(task, FEATURES)
    space, n = Inception(network()), task.options.n
    test = real(task.card.data, "8-bit pixels", "test", n)
    if len(test.x) < n:
        raise Refused(f"{task.card.name}: {n} samples need as many test pictures; there are {len(test.x)}: set --n.")
    train = real(task.card.data, "8-bit pixels", "train", n)
    key = {"data": task.card.data, **settings(task)}
    floor = shared(task, "inception", key, lambda: distances(space, train, test))
    found = {f"inception_{k}": v for k, v in distances(space, drawn(task, "default", {}), test).items()}
    return found | {f"inception_{k}_floor": v for k, v in floor.items()}


def settings(task: Task) -> dict[str, Any]:
    """The same for all models."""
    return {"n": task.options.n, "seed": SEED}


part = Part(
    "inception",
    fits=lambda task: isinstance(task.model, Samples),
    settings=settings,
    measure=measure,
    draws=True,
    on_request=True,
)
