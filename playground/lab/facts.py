"""What each learner is and can do, read from its class: only workers import this, the server asks them."""

from __future__ import annotations

from typing import Any

import torch

from playground.capabilities import CAPABILITIES, Density, Learns, Model, why_not
from playground.lab.learners import Learner, learners
from playground.rng import Stream

WHAT = {
    "samples": "Samples",
    "density": "Density",
    "field": "Fields",
    "latent_grid": "Decodes",
    "path": "Carries",
    "cost": "Refines",
}
BY_NAME = {capability.__name__: capability for capability in CAPABILITIES}


def facts() -> list[dict[str, Any]]:
    """One record for each learner, as the page needs it: plain values."""
    return [_facts(learner) for learner in learners().values()]


def _facts(learner: Learner) -> dict[str, Any]:
    family = learner.model_class()
    about, timed = family.about, getattr(family, "timed", False)
    fits = {what: why_not(family, BY_NAME[needed]) for what, needed in WHAT.items()}
    players = _players(family)
    fits["turn"] = None if len(players) > 1 else "it is trained alone: there is no opponent whose turn it could be"
    return {
        **learner.facts(),
        "source": f"{learner.family.partition('.')[0]}.py",
        "line": about.line if about is not None else "",
        "arxiv": about.arxiv if about is not None else "",
        "kind": _kind(learner, family),
        "fits": fits,
        "field_name": getattr(family, "field_name", None),
        "timed": bool(timed),
        "players": players,
    }


def _players(family: type[Model]) -> list[str]:
    model = family.tiny()
    return list(model.players()) if isinstance(model, Learns) else ["model"]


def _kind(learner: Learner, family: type[Model]) -> str:
    """Of its density; ``none`` where there is none."""
    if not issubclass(family, Density):
        return "none"
    model = family(**{**learner.fixed, **learner.settings})
    assert isinstance(model, Density)
    return model.log_prob(torch.zeros(1, 2), Stream(0, 1), **dict(getattr(family, "preview", {}))).kind
