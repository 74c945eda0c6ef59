"""Precision, recall, density and coverage: where samples are and data are, told by balls around neighbours.

Kynkaanniemi et al. 2019, arXiv:1904.06991, equations 1 and 2; Naeem et al. 2020, arXiv:2002.09797, equations 3 and 4.
"""

from __future__ import annotations

import torch
from torch import Tensor

from playground.knobs import Refused

NEAREST = {"precision": 3, "recall": 3, "density": 5, "coverage": 5}  # the k-th neighbour's distance is a ball's radius


def radii(within: Tensor, k: int) -> Tensor:
    """The distance of each of n points to its k-th neighbour among the others, (n,), from all distances (n, n)."""
    return within.kthvalue(k + 1, dim=1).values  # the nearest of all is the point itself


def overlap(real: Tensor, fake: Tensor) -> dict[str, float]:
    """Precision, recall, density and coverage of two sets of features, (n, d) and (m, d); the balls are closed.

    Raises:
        Refused: a set has too few members to have such neighbours.
    """
    least = max(NEAREST.values()) + 1
    if min(len(real), len(fake)) < least:
        raise Refused(
            f"{min(len(real), len(fake))} pictures have no {least - 1} neighbours each; ask for more with --n."
        )
    across = torch.cdist(real, fake)  # (n, m)
    among_real, among_fake = torch.cdist(real, real), torch.cdist(fake, fake)
    for within in (among_real, among_fake):
        within.fill_diagonal_(0)  # rounding may have left it a little off

    def real_balls(name: str) -> Tensor:
        return across <= radii(among_real, NEAREST[name])[:, None]

    k = NEAREST["density"]
    return {
        "precision": float(real_balls("precision").any(0).double().mean()),
        "recall": float((across <= radii(among_fake, NEAREST["recall"])).any(1).double().mean()),
        "density": float(real_balls("density").double().sum(0).mean()) / k,
        "coverage": float(real_balls("coverage").any(1).double().mean()),
    }
