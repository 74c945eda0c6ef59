"""A worker's share of a race, in this process: frames, snapshots, commands, numbers, questions, and who goes when."""

from __future__ import annotations

import base64
import io
import math
import time
from typing import Any

import numpy as np
import pytest
import torch

from playground.knobs import Refused
from playground.lab import framing, worker
from playground.lab.examiner import HELD
from playground.lab.facts import facts
from playground.lab.learners import learners
from playground.lab.packing import NATS, NONE, PLACES, SIDE, cells, packed_map, packed_points
from playground.lab.painter import paces
from playground.lab.points import own_points
from playground.lab.probes import answered
from playground.lab.race import KEPT, Race
from playground.lab.spec import command_from, question_from, spec_from
from playground.lab.targets import targets

Json = dict[str, Any]


class Desk(worker.Worker):
    """A worker whose messages can be read."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO())
        self.said: list[tuple[Json, dict[str, bytes]]] = []

    def send(self, header: Any, blobs: Any) -> None:
        self.said.append((dict(header), dict(blobs)))

    def begin(self, **asked: Any) -> Race:
        spec = spec_from({"data": 1000, **asked})
        names = list(spec["learners"])
        self.hear({"do": "start", "race": "r", "spec": spec, "learners": names, "judge": False})
        return self.races["r"]

    def tell(self, era: int = 0, **command: Any) -> None:
        asked = command_from(command, {"learners": {name: {} for name in self.races["r"].units}})
        self.hear({"do": "tell", "race": "r", "command": {**asked, "era": era}})

    def finish(self) -> None:
        for _ in range(5000):
            if not self.work():
                return
        raise AssertionError("it does not end")

    def frames(self, name: str) -> list[Json]:
        return [h["frame"] for h, _ in self.said if h["is"] == "frame" and h["frame"]["learner"] == name]

    def numbers(self, name: str) -> list[Json]:
        return [h["numbers"] for h, _ in self.said if h["is"] == "numbers" and h["learner"] == name]


def steps(amount: int) -> Json:
    return {"kind": "steps", "amount": amount}


def test_a_race_from_start_to_end() -> None:
    desk = Desk()
    running = desk.begin(learners={"mixture": {"components": 8}, "autoregressive": {}, "gan": {}}, budget=steps(80))
    desk.finish()
    for name, unit in running.units.items():
        frames = desk.frames(name)
        assert frames[0]["kept"] == 0 and frames[-1]["progress"] == 1.0
        assert unit.trainer.steps == 80 or unit.trainer.settled
        kept = [frame["kept"] for frame in frames if frame["kept"] is not None]
        assert kept == sorted(set(kept)) and kept[-1] == KEPT
        assert set(unit.kept) <= set(range(KEPT + 1)) and {0, KEPT} <= set(unit.kept)
        assert desk.numbers(name)[-1]["final"]
    assert {h["learner"] for h, _ in desk.said if h["is"] == "done"} == set(running.units)
    exact = desk.numbers("autoregressive")[-1]
    assert exact["kind"] == "exact" and abs(exact["integral"] - 1) < 0.01
    assert exact["nll"] - exact["kl"] == pytest.approx(targets()["ring"].entropy, abs=0.1)
    assert exact["modes"][1] == 8 and exact["wasserstein"] >= 0
    assert "nll" not in desk.numbers("gan")[-1] and "sliced" in desk.numbers("gan")[-1]


def test_frames_hold_points_and_maps() -> None:
    desk = Desk()
    desk.begin(learners={"ppca": {}, "autoencoder": {}}, budget=steps(5))
    desk.finish()
    blobs = {h["frame"]["learner"]: b for h, b in desk.said if h["is"] == "frame"}
    assert len(blobs["ppca"]["points"]) == 400 * 2 * 2 and len(blobs["ppca"]["logp"]) == SIDE * SIDE * 2
    assert "logp" not in blobs["autoencoder"] and len(blobs["autoencoder"]["points"]) == 400 * 2 * 2
    assert desk.frames("autoencoder")[-1]["kind"] == "none"


def test_packing_keeps_values_and_says_what_is_none() -> None:
    x = np.array([[1.25, -4.5], [math.nan, 100.0]])
    assert np.frombuffer(packed_points(x), "<i2").tolist() == [1.25 * PLACES, -4.5 * PLACES, 32767, 32767]
    nats = np.array([-1.234, math.nan, -math.inf, -1e9])
    assert np.frombuffer(packed_map(nats), "<i2").tolist() == [round(-1.234 * NATS), NONE, -32767, -32767]
    corner = cells(SIDE)
    assert corner[0, 0] < 0 < corner[0, 1] and corner[1, 0] > corner[0, 0]  # row by row from the top left


def test_pictures_are_paced_by_the_roots_of_their_costs() -> None:
    often = paces([0.01, 0.04, 0.09], 0.2, 0.0, 100.0)
    assert sum(c / o for c, o in zip([0.01, 0.04, 0.09], often, strict=True)) == pytest.approx(0.2)
    assert often[1] == pytest.approx(2 * often[0]) and often[2] == pytest.approx(3 * often[0])
    assert paces([1e-9, 0.3], 0.1, 0.24, 1.5) == [0.24, 1.5]
    assert paces([3.0, 3.0], 0.1, 0.24, 1.5) == pytest.approx([12.0, 12.0])  # never more than half of the time


def test_who_waits_longest_is_painted_before_who_has_just_crossed_a_snapshot() -> None:
    desk = Desk()
    running = desk.begin(learners={"vae": {}, "ppca": {}, "gan": {}}, budget=steps(400))
    while not all(unit.painted >= 0 for unit in running.units.values()):
        desk.work()
    now = time.monotonic()
    for name, waits in (("vae", 0.0), ("ppca", 3.0), ("gan", 2.0)):
        unit = running.units[name]
        unit.step()
        unit.waits_since, unit.eager, unit.mapped_at = now - waits, name == "vae", -math.inf
    desk.said.clear()
    desk.spare, desk.open = 0.0, None
    for _ in range(3):
        assert desk._painted(now)
    assert [h["frame"]["learner"] for h, _ in desk.said] == ["ppca", "gan", "vae"]
    assert ["logp" in blobs for _, blobs in desk.said] == [False, False, True]  # maps wait while points are late


def test_maps_have_their_share_while_points_are_late() -> None:
    desk = Desk()
    running = desk.begin(learners={"ppca": {}}, budget=steps(400))
    unit = running.units["ppca"]
    for spare, mapped in ((0.0, False), (worker.SPARE, True)):
        unit.step()
        unit.painting, desk.open, desk.spare = None, None, spare
        unit.waits_since, unit.mapped_at = time.monotonic() - 5, -math.inf
        desk.said.clear()
        while not desk.said:
            desk._painted(time.monotonic())
        assert ("logp" in desk.said[0][1]) == mapped


def test_step_takes_exactly_one_step_and_pauses() -> None:
    desk = Desk()
    running = desk.begin(learners={"vae": {}, "autoencoder": {}}, budget=steps(1000))
    desk.tell(do="pause")
    desk.finish()
    before = {name: unit.trainer.steps for name, unit in running.units.items()}
    desk.tell(do="step")
    desk.finish()
    for name, unit in running.units.items():
        assert unit.trainer.steps == before[name] + 1 == desk.frames(name)[-1]["step"]
        assert desk.numbers(name)[-1]["final"] and desk.numbers(name)[-1]["step"] == unit.trainer.steps
    assert not any(h["is"] == "done" for h, _ in desk.said)


def test_rewind_goes_back_and_drops_what_came_later() -> None:
    desk = Desk()
    running = desk.begin(learners={"autoregressive": {}}, budget=steps(80))
    desk.finish()
    unit = running.units["autoregressive"]
    at_ten = unit.kept[10].weights
    desk.tell(era=1, do="rewind", to=10)
    desk.finish()
    last = desk.frames("autoregressive")[-1]
    assert (last["kept"], last["step"], unit.trainer.steps) == (10, 20, 20)
    assert max(unit.kept) == 10 and torch.equal(unit.trainer.state().weights, at_ten)
    assert desk.said[-1][0]["era"] == 1 and not running.running
    desk.tell(era=1, do="resume")
    desk.finish()
    assert unit.trainer.steps == 80 and max(unit.kept) == KEPT


def test_more_adds_a_budget_and_keeps_memory_bounded() -> None:
    desk = Desk()
    running = desk.begin(learners={"autoencoder": {}}, budget=steps(40))
    desk.finish()
    unit = running.units["autoencoder"]
    for budgets in (2, 3):
        desk.tell(era=budgets, do="more")
        desk.finish()
        assert unit.trainer.steps == 40 * budgets and unit.progress == 1.0
        assert len(unit.kept) <= KEPT + 1 and all(i % budgets == 0 for i in unit.kept)


def test_settings_begin_anew_but_the_rate_does_not() -> None:
    desk = Desk()
    running = desk.begin(learners={"vae": {}, "ppca": {}}, budget=steps(60))
    desk.finish()
    unit = running.units["vae"]
    desk.tell(do="set", learner=None, settings={"rate": 0.5})
    assert unit.trainer.rate_factor == 0.5 and unit.trainer.steps == 60
    desk.said.clear()
    desk.tell(era=1, do="set", learner=None, settings={"width": 16})
    assert unit.trainer.steps == 0 and unit.settings["width"] == 16 and unit.rate == 0.5
    assert running.units["ppca"].settings == {} and running.units["ppca"].trainer.steps > 0
    desk.finish()
    first = desk.frames("vae")[0]
    assert "begins anew" in first["note"] and first["kept"] == 0 and first["step"] == 0
    desk.tell(era=2, do="set", learner="vae", settings={"data": 2000})
    assert len(unit.trainer.data) == 2000 and len(running.units["ppca"].trainer.data) == 1000


def test_the_same_spec_ends_in_the_same_weights() -> None:
    ends = []
    for _ in range(2):
        desk = Desk()
        running = desk.begin(learners={"vae": {"width": 16}, "gan": {"width": 16}}, budget=steps(30), seed=3)
        desk.finish()
        ends.append([unit.trainer.state().weights.numpy() for unit in running.units.values()])
    assert all(np.array_equal(a, b) for a, b in zip(*ends, strict=True))


def test_all_learners_get_equal_seconds() -> None:
    desk = Desk()
    running = desk.begin(learners={n: {} for n in ("vae", "autoencoder", "gan")}, budget={"amount": 0.4})
    for _ in range(60):
        desk.work()
        spent = [unit.spent for unit in running.units.values()]
        assert max(spent) - min(spent) < 0.2
    desk.finish()
    assert all(0.4 <= unit.spent < 0.6 for unit in running.units.values())


def test_two_races_take_turns_and_one_that_is_away_rests() -> None:
    desk = Desk()
    spec = spec_from({"learners": {"autoencoder": {}}, "budget": {"amount": 30.0}, "data": 1000})
    for name in "ab":
        desk.hear({"do": "start", "race": name, "spec": spec, "learners": ["autoencoder"], "judge": False})
    for _ in range(40):
        desk.work()
    spent = {name: share.units["autoencoder"].spent for name, share in desk.races.items()}
    assert min(spent.values()) > 0.3 * max(spent.values()) > 0
    desk.hear({"do": "away", "race": "a", "away": True})
    for _ in range(10):
        desk.work()
    now = {name: share.units["autoencoder"].spent for name, share in desk.races.items()}
    assert now["a"] == spent["a"] and now["b"] > spent["b"]
    desk.hear({"do": "drop", "race": "b"})
    assert not desk.work() and list(desk.races) == ["a"]


def test_what_goes_wrong_in_one_learner_is_said_and_harms_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    running = desk.begin(learners={"vae": {}, "autoencoder": {}}, budget=steps(40))
    broken = running.units["vae"]

    def fail(k: float, most: int | None = None) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(broken.trainer, "advance", fail)
    desk.finish()
    assert "RuntimeError" in desk.frames("vae")[-1]["note"]
    assert running.units["autoencoder"].trainer.steps == 40
    assert {h["learner"] for h, _ in desk.said if h["is"] == "done"} == {"vae", "autoencoder"}
    desk.tell(era=1, do="set", learner="vae", settings={"width": 32})
    desk.finish()
    assert running.units["vae"].trainer.steps == 40 and not running.units["vae"].trouble


def test_a_rate_that_is_too_high_ends_with_a_sentence() -> None:
    desk = Desk()
    desk.begin(learners={"autoencoder": {}}, budget=steps(3000), rate=100.0, target={"name": "grid"})
    running = desk.races["r"]
    running.units["autoencoder"].trainer.rate_factor = 1e12
    desk.finish()
    assert "learning rate" in desk.frames("autoencoder")[-1]["note"]


def test_a_race_that_cannot_begin_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(worker, "Race", fail)
    desk = Desk()
    spec = spec_from({"learners": {"vae": {}}})
    desk.hear({"do": "start", "race": "r", "spec": spec, "learners": ["vae"], "judge": False})
    assert desk.said[0][0]["is"] == "lost" and "MemoryError" in desk.said[0][0]["why"]
    assert not desk.work()


@pytest.fixture(scope="module")
def begun() -> Race:
    desk = Desk()
    running = desk.begin(learners={name: {} for name in learners()}, budget=steps(2))
    for unit in running.units.values():
        unit.step()
        unit.step()
    return running


def ask(running: Race, **question: Any) -> Json:
    *_, told = answered(running, question_from(question, {"learners": {name: {} for name in running.units}}))
    assert told is not None
    return told


def test_a_point_is_asked_of_all(begun: Race) -> None:
    told = ask(begun, what="log_prob", points=[[0.0, 0.0], [2.83, 0.0]])
    assert told["true"][1] > told["true"][0]
    for name, entry in told["learners"].items():
        dense = begun.units[name].painter.dense
        assert (entry["kind"] != "none") == dense and (entry["value"] is not None) == dense


@pytest.mark.parametrize("name", learners())
def test_each_learner_answers_what_its_facts_promise(begun: Race, name: str) -> None:
    fits = next(told for told in facts() if told["name"] == name)["fits"]
    questions: dict[str, Json] = {
        "field": {"t": 0.5, "n": 5},
        "path": {"start": [0.5, 0.5]},
        "latent_grid": {},
        "turn": {},
    }
    for what, more in questions.items():
        if fits[what] is None:
            told = ask(begun, what=what, learner=name, **more)
            if what == "field":
                assert len(base64.b64decode(told["vectors"]["b64"])) == 25 * 2 * 4
            if what == "path":
                assert told["states"][0] == pytest.approx([0.5, 0.5], abs=1e-3) and len(told["states"]) >= 2
            if what == "latent_grid":
                assert all(len(dot) == 2 for line in told["lines"] for dot in line)
            if what == "turn":
                assert told["player"] in told["players"] and math.isfinite(told["loss"]["after"])
        else:
            with pytest.raises(Refused):
                ask(begun, what=what, learner=name, **more)
    assert begun.units[name].trainer.steps == 2 or begun.units[name].trainer.settled  # questions change nothing


def test_a_question_about_the_past_is_answered_by_the_snapshot() -> None:
    desk = Desk()
    running = desk.begin(learners={n: {} for n in ("mixture", "autoregressive", "flow_matching")}, budget=steps(40))
    points = {"what": "log_prob", "points": [[1.0, 1.0]]}
    fresh = ask(running, **points, kept=0)["learners"]
    path = ask(running, what="path", learner="flow_matching", start=[0.5, 0.5])["states"]
    desk.finish()
    now, past = ask(running, **points)["learners"], ask(running, **points, kept=0)["learners"]
    for name in running.units:
        assert past[name]["value"] == pytest.approx(fresh[name]["value"], abs=1e-4)
        assert now[name]["value"] != past[name]["value"]
    assert ask(running, **points, kept=300)["learners"]["autoregressive"] == now["autoregressive"]
    assert ask(running, what="path", learner="flow_matching", start=[0.5, 0.5], kept=0)["states"] == path
    assert running.units["flow_matching"].trainer.steps == 40


def test_a_quick_answer_comes_in_one_piece_and_the_exact_one_in_several() -> None:
    desk = Desk()
    desk.begin(learners={n: {} for n in ("flow_matching", "ddpm", "ppca")}, budget=steps(2))
    desk.finish()
    for quick, ask in ((False, 1), (True, 2)):
        question = question_from({"what": "log_prob", "points": [[1.0, 1.0]], "quick": quick}, {"learners": {}})
        desk.hear({"do": "probe", "race": "r", "ask": ask, "question": question})
    desk.said.clear()
    desk.finish()
    answers = {h["ask"]: h["answer"]["learners"] for h, _ in desk.said}
    assert list(answers) == [2, 1]  # the second did not wait for the first
    for name, told in answers[1].items():
        assert told["value"] == pytest.approx(answers[2][name]["value"], abs=1)
    assert answers[1]["ppca"] == answers[2]["ppca"]


def test_where_only_points_are_known_there_is_no_kl() -> None:
    points = targets()["ring"].sample(3000, np.random.default_rng(0))
    target = own_points(points[:2500], points[2500:], ("a", "b"), (0.0, 0.0), (1.0, 1.0), "")
    desk = Desk()
    running = desk.begin(learners={"ppca": {}}, budget=steps(3), target=target.record())
    desk.finish()
    numbers = desk.numbers("ppca")[-1]
    assert "kl" not in numbers and "modes" not in numbers and math.isfinite(numbers["nll"])
    held = {tuple(point) for point in running.truth.held.tolist()}
    assert not held & {tuple(point) for point in running.units["ppca"].trainer.data.tolist()}


BAD_SPECS: list[tuple[Any, str]] = [
    (None, "object"),
    ({}, "at least one"),
    ({"learners": {"nobody": {}}}, "no learner"),
    ({"learners": {"vae": {"width": math.nan}}}, "width"),
    ({"learners": {"vae": {"width": 10**9}}}, "width"),
    ({"learners": {"vae": {"depth": 3}}}, "no knob"),
    ({"learners": {"vae": {}}, "data": 10}, "data"),
    ({"learners": {"vae": {}}, "data": 10**7}, "data"),
    ({"learners": {"vae": {}}, "seed": -1}, "seed"),
    ({"learners": {"vae": {}}, "rate": math.inf}, "rate"),
    ({"learners": {"vae": {}}, "budget": {"kind": "hours"}}, "kind"),
    ({"learners": {"vae": {}}, "budget": {"amount": 1e9}}, "amount"),
    ({"learners": {"vae": {}}, "target": {"name": "nowhere"}}, "target"),
    ({"learners": {"vae": {}}, "code": "x"}, "code"),
]


@pytest.mark.parametrize(("asked", "word"), BAD_SPECS)
def test_a_bad_spec_gets_one_sentence(asked: Any, word: str) -> None:
    with pytest.raises(Refused, match=word) as refusal:
        spec_from(asked)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    "asked",
    [
        *(None, {}, {"do": "fly"}, {"do": "rewind"}, {"do": "rewind", "to": math.nan}, {"do": "set"}),
        {"do": "set", "learner": "gan", "settings": {"rate": 1.0}},
        {"do": "set", "learner": "vae", "settings": {"rate": "fast"}},
        {"do": "set", "learner": None, "settings": {"components": 3}},
        {"do": "set", "learner": "vae", "settings": {"width": 1e300}},
    ],
)
def test_a_bad_command_is_refused(asked: Any) -> None:
    with pytest.raises(Refused):
        command_from(asked, {"learners": {"vae": {}}})


@pytest.mark.parametrize(
    "asked",
    [
        *(None, {}, {"what": "weights"}, {"what": "log_prob"}, {"what": "log_prob", "points": [[1]]}),
        {"what": "log_prob", "points": [[math.inf, 0.0]]},
        {"what": "log_prob", "points": [[10**400, 0]]},
        {"what": "log_prob", "points": [[0, 0]] * 1000},
        {"what": "field", "learner": "gan"},
        {"what": "field", "learner": "vae", "n": 10_000},
        {"what": "field", "learner": "vae", "t": math.nan},
        {"what": "field", "learner": "vae", "kept": -1},
        {"what": "log_prob", "points": [[0, 0]], "quick": 1},
        {"what": "path", "learner": "vae", "start": "here"},
        {"what": "turn", "learner": "vae", "steps": 10**6},
    ],
)
def test_a_bad_question_is_refused(asked: Any) -> None:
    with pytest.raises(Refused):
        question_from(asked, {"learners": {"vae": {}}})


def test_messages_are_framed() -> None:
    pipe = io.BytesIO()
    framing.write(pipe, {"a": 1}, {"x": b"12", "y": b""})
    framing.write(pipe, {"b": [2]})
    whole = pipe.getvalue()
    pipe.seek(0)
    assert framing.read(pipe) == ({"a": 1}, {"x": b"12", "y": b""})
    assert framing.read(pipe) == ({"b": [2]}, {})
    assert framing.read(pipe) is None
    for cut in range(len(whole) - 20, len(whole)):
        half = io.BytesIO(whole[:cut])
        framing.read(half)
        assert framing.read(half) is None


def test_held_out_points_are_not_the_training_points(begun: Race) -> None:
    held = {tuple(point) for point in begun.truth.held.tolist()}
    train = {tuple(point) for point in next(iter(begun.units.values())).trainer.data.tolist()}
    assert len(held) == HELD and not held & train
