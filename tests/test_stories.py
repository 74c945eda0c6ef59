"""Stories: what they set exists, what they say can be filled in, and what they promise happens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from playground.capabilities import Refines
from playground.families.flow_matching import FlowMatching
from playground.knobs import Refused
from playground.lab.cost import EVALUATIONS, cost, per_step, samplers
from playground.lab.examiner import Truth, examine
from playground.lab.learners import learners
from playground.lab.reflow import reflow
from playground.lab.spec import spec_from
from playground.lab.stories import COLLAPSE, Story, stories
from playground.lab.targets import targets
from playground.lab.trainer import Trainer, build

STORIES = list(stories().values())
LAYERS = {"field", "latent_grid", "path", "samples", "ground", "t"}
NEEDS = {"field": "Fields", "latent_grid": "Decodes", "path": "Carries"}


def states(story: Story) -> Iterator[dict[str, Any]]:
    """The page's state at the beginning, and whenever an act has changed it."""
    state = dict(story.set)
    yield state
    for act in story.acts:
        state = {**state, **act.set}
        yield state


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s.name)
def test_every_race_of_a_story_can_be_started(story: Story) -> None:
    for state in states(story):
        own = {name: state["settings"].get(name, {}) for name in state["learners"]}
        asked = {key: state[key] for key in ("target", "data", "seed", "budget", "rate")}
        assert list(spec_from({**asked, "learners": own})["learners"]) == sorted(own, key=list(learners()).index)
        assert state["selected"] in (None, "truth", *own)


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s.name)
def test_its_words_and_layers_fit_who_races(story: Story) -> None:
    for state, act in zip(list(states(story))[1:], story.acts, strict=True):
        spoken = set(re.findall(r"\{(\w+)\.(\w+)\}", act.say))
        assert {what for _, what in spoken} <= {"modes", "kl", "lost"}
        assert ".kl} nats" not in act.say  # the page says the unit
        assert {name for name, _ in spoken} <= set(state["learners"]), act.say
        if any(what in ("modes", "lost") for _, what in spoken):
            assert targets()[state["target"]["name"]].modes is not None
        assert set(act.inspect) <= LAYERS
        for layer in set(act.inspect) & set(NEEDS):
            family = learners()[state["selected"]].model_class()
            assert NEEDS[layer] in {base.__name__ for base in family.__mro__}
        assert all(0 <= t <= 1 for t in act.sweep)
    assert set(story.cost) <= set(learners())
    assert story.look.endswith(".")
    assert len(story.look) < 130
    json.dumps(story.to_json())


@pytest.mark.parametrize("story", STORIES, ids=lambda s: s.name)
def test_acts_come_in_order(story: Story) -> None:
    at = 0.0
    for act in story.acts:
        assert 0 < act.at <= 1
        assert act.at >= at
        at = 0.0 if act.do == {"do": "start"} else act.at


def outcome(name: str, state: dict[str, Any]) -> dict[str, Any]:
    learner, seed, target = learners()[name], state["seed"], targets()[state["target"]["name"]]
    data = torch.from_numpy(target.sample(state["data"], np.random.default_rng(seed)))
    model = build(learner.model_class(), {**learner.fixed, **learner.settings, **state["settings"].get(name, {})}, seed)
    trainer = Trainer(model, data, seed, state["rate"])
    trainer.advance_steps(state["budget"]["amount"])
    numbers: dict[str, Any] = {}
    for found in examine(trainer.shown(), Truth.of(target, seed), seed, learner.drawing, {}, False):
        numbers |= found
    return numbers


@pytest.mark.slow
@pytest.mark.parametrize("seed", [17, 1, 2])  # not only the one that is shown
def test_the_gan_collapses_and_the_other_critic_does_not(seed: int) -> None:
    first, *_, last = states(COLLAPSE)
    assert outcome("gan", {**first, "seed": seed})["modes"][0] <= 4
    gan, wgan = (outcome(name, {**last, "seed": seed}) for name in ("gan", "wgan"))
    assert wgan["modes"] == [8, 8]
    assert wgan["lost"] < gan["lost"] / 2


@pytest.mark.parametrize("name", [n for n, one in learners().items() if issubclass(one.model_class(), Refines)])
def test_what_a_sample_costs(name: str) -> None:
    learner = learners()[name]
    family = learner.model_class()
    assert issubclass(family, Refines)
    try:
        choices = samplers(family)
    except Refused as refusal:
        assert "no steps to count" in str(refusal)
        return
    model = build(family, {**learner.fixed, **learner.settings}, 0)
    assert isinstance(model, Refines)
    truth = targets()["ring"].sample(200, np.random.default_rng(0))
    names: list[str | None] = [option for options in choices.values() for option in options]
    for sampler in names or [None]:
        *_, told = cost(model, truth, sampler, 0, (1, 2, 4, 8))
        assert told["evaluations"] == [n for n in (1, 2, 4, 8) if n % per_step(sampler or "") == 0]
        assert np.isfinite(told["sliced"]).all()
        assert 0 < told["floor"] < min(told["sliced"]) + 1
        assert told == list(cost(model, truth, sampler, 0, (1, 2, 4, 8)))[-1]
    with pytest.raises(Refused, match="no sampler of that name"):
        next(cost(model, truth, "sorcery", 0))
    assert EVALUATIONS[0] == 1


def test_a_rectified_flow_needs_one_step() -> None:
    """Liu, Gong and Liu 2022, section 2.2: what crossed before is straight after; the ends stay what they were."""
    learner, target = learners()["flow_matching"], targets()["ring"]
    flow = build(FlowMatching, learner.settings, 0)
    trainer = Trainer(flow, torch.from_numpy(target.sample(5000, np.random.default_rng(0))), 0)
    trainer.advance_steps(1200)
    flow = trainer.shown()
    assert isinstance(flow, FlowMatching)
    before = [p.clone() for p in flow.parameters()]
    work = reflow(flow, 0)
    pieces = 0
    while True:
        try:
            next(work)
            pieces += 1
        except StopIteration as end:
            straight = end.value
            break
    assert pieces > 50  # others are served in between
    assert all(torch.equal(a, b) for a, b in zip(before, flow.parameters(), strict=True))
    truth = target.sample(1000, np.random.default_rng(2))
    one, many = (
        {
            name: list(cost(model, truth, "Euler", 0, (n,)))[-1]["sliced"][0]
            for name, model in (("flow", flow), ("rectified", straight))
        }
        for n in (1, 32)
    )
    assert one["rectified"] < 0.3 * one["flow"]
    assert one["rectified"] < many["rectified"] + 0.05
    assert many["rectified"] < many["flow"] + 0.05
