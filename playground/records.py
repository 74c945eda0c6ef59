"""What models answer with: log-probabilities with their kind, states on the way, and what a newcomer reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Kind = Literal["exact", "lower bound", "estimate", "unnormalised"]
Measure = Literal["8-bit pixels", "binary pixels", "continuous"]


@dataclass(frozen=True)
class LogProb:
    """Log-probabilities that never travel without their kind.

    Args:
        nats: (n,) log-probability per datum in nats.
        kind: exact, lower bound, estimate or unnormalised.
        measure: what the probability is of. ``8-bit pixels``: the picture rounded to 256 grey levels, by uniform
            dequantisation (Theis, van den Oord and Bethge 2016, arXiv:1511.01844); ``binary pixels``: a black-and-white
            picture; ``continuous``: a density. Values of different measures must never be compared.
        stderr: (n,) standard error per datum where the value is a Monte Carlo estimate, else None.
    """

    nats: Tensor
    kind: Kind
    measure: Measure
    stderr: Tensor | None = None


@dataclass(frozen=True)
class State:
    """One state on the way to a sample.

    Args:
        x: (n, *shape) the state, as data.
        done: how many of ``total`` steps have been taken.
        total: how many steps there are.
        label: what this state is, for its caption, such as ``t = 0.40``.
    """

    x: Tensor
    done: int
    total: int
    label: str = ""


@dataclass(frozen=True)
class About:
    """What a newcomer reads about a family: short paragraphs in plain words, no mark-up.

    Args:
        title: the family's name, as the field says it.
        line: one line saying what it is.
        intuition: the idea, without formulas.
        pros: what it is good at.
        cons: what it is bad at.
        training: how it is trained.
        latent: whether it has a latent, and which.
        sampling: how a sample is drawn.
        density: how the probability of a new point is computed.
        paper: authors, year and title.
        arxiv: the paper's arXiv number, or "" where it has none.
    """

    title: str
    line: str
    intuition: str
    pros: str
    cons: str
    training: str
    latent: str
    sampling: str
    density: str
    paper: str
    arxiv: str = ""
