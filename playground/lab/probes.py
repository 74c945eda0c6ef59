"""Answers about one moment of a learner: a log-density, a field, a path, a warped grid, a turn of a game."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.capabilities import Carries, Decodes, Density, Fields, Refines, why_not
from playground.families.flow_matching import FlowMatching
from playground.knobs import Refused
from playground.lab import cost
from playground.lab.facts import BY_NAME
from playground.lab.packing import POINTS, SIDE, cells, packed_map, packed_points
from playground.lab.painter import log_prob
from playground.lab.race import Race, Unit
from playground.lab.reflow import reflow
from playground.rng import Stream

LINES = 13  # of a latent grid, each way
REACH = 2.5  # of a latent grid: standard deviations, of which codes seldom lie farther out
DOTS = 41  # points of each of its lines
GAMES = ("gan", "wgan")
RECTIFIED = "rectified"  # a flow that has been taught again, followed by Euler's steps
STATES = 201  # of a path, at the most

Json = dict[str, Any]


def answered(race: Race, question: Mapping[str, Any]) -> Iterator[Json | None]:
    """What one worker knows about ``question``, which the server has checked, after None for each piece of the work.

    Raises:
        Refused: the learner cannot do that; the text says why.
    """
    if question["what"] == "log_prob":
        return _log_prob(race, question)
    unit = race.units[question["learner"]]
    if question["what"] == "cost":
        return _cost(race, unit, question)
    return iter([ANSWERS[question["what"]](race, unit, question)])


def _log_prob(race: Race, question: Mapping[str, Any]) -> Iterator[Json | None]:
    points = np.asarray(question["points"], np.float32)
    told: Json = {}
    for name, unit in race.units.items():
        told[name] = {"value": None, "kind": "none", "stderr": None}
        if not unit.painter.dense:
            continue
        # While it learns the value is old at once, so a quick one will do.
        quick = question["quick"] or not (unit.resting or question["kept"] is not None)
        model = unit.shown(question["kept"])
        assert isinstance(model, Density)
        knobs = unit.painter.preview if quick else {}
        nats, kind, stderr = log_prob(model, torch.from_numpy(points), race.seed, knobs)
        told[name] = {"value": _plain(nats), "kind": kind, "stderr": None if stderr is None else _plain(stderr)}
        if unit.painter.preview and not quick:
            yield None
    truth = race.truth.target
    yield {"learners": told, "true": _plain(truth.log_prob(points)) if truth.known else None}


def _field(race: Race, unit: Unit, question: Mapping[str, Any]) -> Json:
    """Arrows at the centres of n x n cells, row by row from the top left, float32 (n^2, 2), little-endian."""
    model = unit.shown(question["kept"])
    if not isinstance(model, Fields):
        raise _refusal(unit, "Fields")
    n = question["n"]
    vectors = model.field(torch.from_numpy(cells(n)), question["t"])
    told = {"name": type(model).field_name, "timed": type(model).timed, "t": question["t"], "n": n}
    return {**told, "vectors": {"b64": _floats(vectors)}}


def _path(race: Race, unit: Unit, question: Mapping[str, Any]) -> Json:
    model = unit.shown(question["kept"])
    if not isinstance(model, Carries):
        raise _refusal(unit, "Carries")
    states = model.carry(torch.tensor([question["start"]], dtype=torch.float32))[:, 0].detach()  # (states, 2)
    every = max(1, -(-(len(states) - 1) // (STATES - 1)))
    chosen = [*range(0, len(states) - 1, every), len(states) - 1]
    return {"states": [_plain(states[i].numpy()) for i in chosen]}


def _latent_grid(race: Race, unit: Unit, question: Mapping[str, Any]) -> Json:
    """Lines of the latent plane as they lie among data: first those along which the first latent is fixed."""
    model = unit.shown(question["kept"])
    if not isinstance(model, Decodes):
        raise _refusal(unit, "Decodes")
    dots = torch.linspace(-REACH, REACH, DOTS)
    if tuple(model.latent) == (1,):
        z = (2 * dots)[None, :, None]  # a code without a prior may lie anywhere
    elif tuple(model.latent) == (2,):
        fixed = torch.linspace(-REACH, REACH, LINES)[:, None].expand(LINES, DOTS)
        free = dots.expand(LINES, DOTS)
        z = torch.cat([torch.stack([fixed, free], 2), torch.stack([free, fixed], 2)])  # (2 LINES, DOTS, 2)
    else:
        raise Refused("Its latent has more than two numbers: a grid of it cannot be drawn on a plane.")
    x = model.decode(z.flatten(0, 1)).detach().unflatten(0, z.shape[:2])
    return {"lines": [[_plain(dot) for dot in line] for line in x.numpy()]}


def _turn(race: Race, unit: Unit, question: Mapping[str, Any]) -> Json:
    """A few gradient steps of one player alone, taken by a copy: what the discriminator says of the plane, and the
    samples, before and after them; and where it pushes each of the samples of before.
    """
    if unit.learner.name not in GAMES:
        raise Refused(f"{unit.learner.title} is trained alone: there is no opponent whose turn it could be.")
    trainer = copy.deepcopy(unit.trainer)
    model = trainer.model
    players = list(model.players())  # type: ignore[operator]
    player = question.get("player") or players[0]
    if player not in players:
        raise Refused(f"{unit.learner.title} has no player of that name; it has {', '.join(players)}.")
    samples, before = _moment(model, race.seed)
    push = model.field(samples, 1.0)  # type: ignore[operator]
    losses = [float(trainer.turn(player)) for _ in range(question["steps"])]
    after = _moment(model, race.seed)[1]
    if player != "generator":
        push = model.field(samples, 1.0)  # type: ignore[operator]
    told = {"player": player, "players": players, "steps": len(losses), "before": before, "after": after}
    return {**told, "push": {"b64": _floats(push)}, "loss": {"before": losses[0], "after": losses[-1]}}


@torch.no_grad()
def _moment(model: Any, seed: int) -> tuple[Tensor, Json]:
    """Samples of a game's generator, and what its other player says of the plane: of a critic, above its median."""
    samples = model.sample(Stream(seed, POINTS))
    heights = model.verdict(torch.from_numpy(cells(SIDE))).double().numpy()
    if "critic" in model.players():
        heights -= np.median(heights)
    points, verdict = _b64(packed_points(samples.numpy())), _b64(packed_map(heights))
    return samples, {"points": {"b64": points}, "verdict": {"b64": verdict}}


def _cost(race: Race, unit: Unit, question: Mapping[str, Any]) -> Iterator[Json | None]:
    model = unit.shown()
    if not isinstance(model, Refines):
        raise _refusal(unit, "Refines")
    names = [name for options in cost.samplers(type(model)).values() for name in options]
    names += [RECTIFIED] if isinstance(model, FlowMatching) else []
    truth = race.truth.target.sample(cost.POINTS * 2, np.random.default_rng([race.seed, 2]))
    sampler = question.get("sampler") or (names[0] if names else None)
    named: Json = {"samplers": names or [None]}
    if sampler == RECTIFIED and isinstance(model, FlowMatching):
        model, sampler, named = (yield from reflow(model, race.seed)), "Euler", {**named, "sampler": RECTIFIED}
    for told in cost.cost(model, truth, sampler, race.seed):
        yield told and {**told, **named}


ANSWERS: dict[str, Callable[[Race, Unit, Mapping[str, Any]], Json]] = {
    "field": _field,
    "path": _path,
    "latent_grid": _latent_grid,
    "turn": _turn,
}


def _refusal(unit: Unit, capability: str) -> Refused:
    return Refused(f"{unit.learner.title}: {why_not(unit.family, BY_NAME[capability])}.")


def _plain(values: np.ndarray) -> list[float | None]:
    """Rounded to what anybody reads; None for what is no number or not finite, which JSON cannot say."""
    return [round(float(v), 5) if np.isfinite(v) else None for v in values]


def _floats(values: Tensor) -> str:
    return _b64(values.detach().numpy().astype("<f4").tobytes())


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
