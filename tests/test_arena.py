"""Races in real worker processes: several visitors, tabs that close, workers that die, bad questions."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.knobs import Refused
from playground.lab.arena import AWAY, MOST_RACES, Arena
from playground.lab.learners import learners
from playground.lab.packing import POINTS, SIDE
from playground.lab.targets import targets
from playground.ui.laboratory import functions

Json = dict[str, Any]
LONG = 120.0  # seconds that a busy machine may take


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    made = Arena(workers=2)
    made.warm()
    made.facts(timeout=LONG)
    yield made
    made.close()


@pytest.fixture
def page(arena: Arena) -> dict[str, Callable[[Any], Json]]:
    return {function.__name__: function for function in functions(arena)}


def spec(*names: str, steps: int = 40, **more: Any) -> Json:
    return {"learners": {n: {} for n in names}, "budget": {"kind": "steps", "amount": steps}, "data": 1000, **more}


def follow(arena: Arena, race: str, until: Callable[[Json], bool], seconds: float = LONG) -> list[Json]:
    """Poll as a page does, until something is so; all answers."""
    answers, end = [], time.monotonic() + seconds
    since = 0
    while time.monotonic() < end:
        answers.append(arena.poll(race, since))
        since = answers[-1]["race"]["seq"]
        if until(answers[-1]):
            return answers
    raise AssertionError(f"it did not happen; the last was {answers[-1]['race']}")


def done(answer: Json) -> bool:
    return answer["race"]["status"] == "done"


def test_a_race_is_run_and_told(arena: Arena) -> None:
    race = arena.start(spec("mixture", "autoregressive", "vae", "gan"))
    answers = follow(arena, race, done)
    seqs = [frame["seq"] for answer in answers for frame in answer["frames"]]
    assert seqs == sorted(seqs) and len(set(seqs)) == len(seqs)  # each once, in order
    last = {frame["learner"]: frame for answer in answers for frame in answer["frames"]}
    assert set(last) == {"mixture", "autoregressive", "vae", "gan"}
    assert all(frame["progress"] == 1.0 and frame["note"] == "" for frame in last.values())
    numbers = arena.poll(race, 0)["numbers"]
    assert all(entry["final"] for entry in numbers.values()) and set(numbers) == set(last)
    assert numbers["mixture"]["kl"] < 0.2 and "kl" not in numbers["gan"]
    told = follow(arena, race, lambda answer: answer["race"]["floor"] is not None)[-1]["race"]
    assert told["floor"]["sliced"] > 0 and told["seconds"] > 0
    again = arena.poll(race, 0)["frames"]
    first = next(frame for frame in again if frame["learner"] == "vae")
    assert first["kept"] == 0  # who comes back gets the snapshots again
    assert len(base64.b64decode(first["points"]["b64"])) == POINTS * 4
    assert len(base64.b64decode(first["logp"]["b64"])) == SIDE * SIDE * 2
    assert arena.poll(race, answers[-1]["race"]["seq"], 0.0)["frames"] == []
    arena.stop(race)


def test_commands_and_questions(arena: Arena) -> None:
    race = arena.start(spec("vae", "autoencoder", steps=100_000))
    follow(arena, race, lambda answer: bool(answer["numbers"]))
    assert arena.tell(race, {"do": "pause"})["race"]["status"] == "paused"
    follow(arena, race, lambda a: all(n["final"] for n in a["numbers"].values()) and len(a["numbers"]) > 0)
    told = arena.probe(race, {"what": "log_prob", "points": [[0.0, 2.83]]}, timeout=LONG)
    assert set(told["learners"]) == {"vae", "autoencoder"} and told["true"][0] > -5
    assert told["learners"]["vae"]["kind"] == "lower bound"
    with pytest.raises(Refused, match="trained alone"):
        arena.probe(race, {"what": "turn", "learner": "vae"}, timeout=LONG)
    before = {f["learner"]: f["step"] for f in arena.poll(race, 0)["frames"]}
    arena.tell(race, {"do": "step"})
    follow(arena, race, lambda a: {f["learner"]: f["step"] for f in a["frames"]}.get("vae") == before["vae"] + 1)
    arena.tell(race, {"do": "rewind", "to": 0})
    answers = follow(arena, race, lambda a: any(f["step"] == 0 and f["learner"] == "vae" for f in a["frames"]))
    assert answers[-1]["race"]["status"] == "paused"
    arena.tell(race, {"do": "set", "learner": "vae", "settings": {"width": 16}})
    answers = follow(arena, race, lambda a: any("begins anew" in f["note"] for f in a["frames"]))
    assert arena.history(race)["spec"]["learners"]["vae"]["width"] == 16
    assert arena.tell(race, {"do": "resume"})["race"]["status"] == "running"
    follow(arena, race, lambda a: any(f["step"] > 0 and f["learner"] == "vae" for f in a["frames"]))
    assert arena.tell(race, {"do": "stop"})["race"]["status"] == "lost"
    assert arena.poll(race)["race"]["status"] == "lost"


def test_nobody_reaches_another_race(arena: Arena) -> None:
    mine, yours = (arena.start(spec("autoencoder")) for _ in range(2))
    assert mine != yours and len(mine) >= 20
    for guess in (mine[:-1], "", "0", mine.swapcase(), None):
        assert arena.poll(guess)["race"]["status"] == "lost"  # type: ignore[arg-type]
        for ask in (arena.tell, arena.probe):
            with pytest.raises(Refused, match="race is over"):
                ask(guess, {"do": "pause"})  # type: ignore[arg-type]
    assert all(f["learner"] == "autoencoder" for f in follow(arena, mine, done)[-1]["frames"])
    arena.stop(mine)
    assert follow(arena, yours, done)
    arena.stop(yours)


def cpu(arena: Arena) -> float:
    """CPU seconds of all workers so far."""
    ticks = 0
    for hand in arena._hands:
        fields = Path(f"/proc/{hand.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the CPU seconds of a process from /proc")
def test_a_closed_tab_stops_its_computing_within_a_second(arena: Arena) -> None:
    idle = -1.0
    while cpu(arena) > idle:  # they warm up while nobody races
        idle = cpu(arena)
        time.sleep(1.5)
    race = arena.start(spec("vae", "autoencoder", "gan", steps=100_000))
    follow(arena, race, lambda answer: bool(answer["frames"]))
    busy = cpu(arena)
    time.sleep(0.5)
    assert cpu(arena) > busy
    time.sleep(AWAY + 0.4)
    rest = cpu(arena)
    time.sleep(1.0)
    assert cpu(arena) - rest < 0.1
    assert arena.poll(race)["race"]["status"] == "running"  # and goes on when its visitor is back
    before = arena.poll(race, 0)["race"]["seq"]
    follow(arena, race, lambda answer: answer["race"]["seq"] > before + 3)
    arena.stop(race)


def test_a_dead_worker_is_said_and_replaced() -> None:
    arena = Arena(workers=1)
    try:
        race = arena.start(spec("autoencoder", steps=100_000))
        follow(arena, race, lambda answer: bool(answer["frames"]))
        os.kill(arena._hands[0].pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        answers = follow(arena, race, lambda a: any("process" in f["note"] for f in a["frames"]))
        assert answers[-1]["frames"][-1]["points"]
        with pytest.raises(Refused, match="started again"):
            arena.probe(race, {"what": "field", "learner": "autoencoder"})
        another = arena.start(spec("autoencoder"))
        assert follow(arena, another, done)
    finally:
        arena.close()


def test_workers_end_with_their_server() -> None:
    code = (
        "from playground.lab.arena import Arena; a = Arena(1); a.facts(); print(a._hands[0].pid, flush=True);"
        "import os; os._exit(1)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LONG, check=False)
    pid = int(run.stdout)
    end = time.monotonic() + 20
    while time.monotonic() < end and Path(f"/proc/{pid}").exists():
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists()


def test_only_so_many_races(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.lab.arena.MOST_RACES", 2)
    races = [arena.start(spec("autoencoder", steps=100_000)) for _ in range(2)]
    with pytest.raises(Refused, match="race already"):
        arena.start(spec("autoencoder"))
    time.sleep(AWAY + 0.5)  # both are away now: the older gives way
    arena.poll(races[1])
    third = arena.start(spec("autoencoder"))
    assert arena.poll(races[0])["race"]["status"] == "lost"
    for race in (*races, third):
        arena.stop(race)
    assert MOST_RACES >= 10


def test_the_page_gets_answers_and_sentences(page: dict[str, Callable[[Any], Json]]) -> None:
    told = page["lab_facts"]({})
    assert [learner["name"] for learner in told["learners"]] == list(learners())
    assert [target["name"] for target in told["targets"]] == list(targets()) and told["stories"]
    started = page["lab_start"](spec("ppca", "mixture"))
    race, since = started["race"], 0
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        answer = page["lab_poll"]({"race": race, "since": since})
        since = answer["race"]["seq"]
        if answer["race"]["status"] == "done":
            break
    for format in ("gif", "csv", "npz"):
        file = page["lab_export"]({"race": race, "format": format})
        assert file["ok"] and file["name"].endswith(format) and len(base64.b64decode(file["b64"])) > 100
    assert (
        "Trainer"
        in base64.b64decode(page["lab_export"]({"race": race, "format": "script", "learner": "ppca"})["b64"]).decode()
    )
    assert page["lab_cost"]({"race": race, "learner": "ppca"})["ok"] is False
    assert page["lab_tell"]({"race": race, "command": {"do": "stop"}})["ok"]
    assert page["source"]({"path": "ppca.py"})["ok"]
    ink = np.zeros((128, 128), np.uint8)
    ink[30:90, 30:90] = 255
    drawn = page["lab_target"]({"drawn": {"b64": base64.b64encode(ink.tobytes()).decode()}})
    assert drawn["ok"] and page["lab_target"]({"record": drawn["target"]["record"]})["ok"]
    table = base64.b64encode(("a,b\n" + "\n".join(f"{i % 17},{i % 13}" for i in range(500))).encode()).decode()
    assert page["lab_target"]({"csv": table})["columns"] == ["a", "b"]
    assert page["lab_target"]({"csv": table, "columns": ["a", "b"]})["target"]["known"] is False


BAD: list[tuple[str, Any]] = [
    *(("lab_start", None), ("lab_start", []), ("lab_start", {"learners": {"vae": 3}})),
    *(("lab_poll", {"race": "x", "since": "now"}), ("lab_poll", {"race": "x", "since": -1})),
    *(("lab_tell", None), ("lab_tell", {"race": 3, "command": 4}), ("lab_probe", {"race": [], "question": {}})),
    *(
        ("lab_target", {}),
        ("lab_target", {"csv": 3}),
        ("lab_target", {"csv": "%%%"}),
        ("lab_target", {"picture": "AAAA"}),
    ),
    *(("lab_target", {"csv": "YQ==", "columns": [1, 2]}), ("lab_target", {"formula": "__import__('os')"})),
    *(("lab_target", {"formula": "1/0"}), ("lab_target", {"record": {"name": "x"}}), ("lab_target", {"drawn": 3})),
    *(("lab_export", {"race": "x", "format": "exe"}), ("lab_cost", {}), ("source", {"path": "../../app.py"})),
]


@pytest.mark.parametrize(("function", "asked"), BAD)
def test_bad_questions_get_one_sentence(page: dict[str, Callable[[Any], Json]], function: str, asked: Any) -> None:
    told = page[function](asked)
    assert told["ok"] is False and "Something went wrong" not in told["error"]
    assert 10 < len(told["error"]) < 400 and told["error"].rstrip().endswith((".", "?"))


def test_the_server_never_imports_torch() -> None:
    code = "import sys, playground.ui.laboratory; sys.exit('torch' in sys.modules or 'ot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_ten_visitors_at_once(arena: Arena) -> None:
    """All learn to the end, no panel is forgotten for long, and the workers' memory stays bounded."""
    names, gaps, ends = list(learners()), [], []

    def visit(i: int) -> None:
        race = arena.start({"learners": {n: {} for n in names}, "budget": {"amount": 0.2}, "seed": i})
        last: dict[str, float] = {}
        progress = dict.fromkeys(names, 0.0)

        def seen(answer: Json) -> bool:
            for frame in answer["frames"]:
                now, name = time.monotonic(), frame["learner"]
                if name in last and frame["progress"] < 1:
                    gaps.append((now - last[name], name))
                last[name], progress[name] = now, frame["progress"]
            return min(progress.values()) >= 1

        follow(arena, race, seen, 500.0)
        ends.append(race)

    visitors = [threading.Thread(target=visit, args=(i,)) for i in range(10)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert len(ends) == len(set(ends)) == 10
    gaps.sort()
    sys.stderr.write(f"panels come back after {gaps[len(gaps) // 2][0]:.2f} s, at the latest {gaps[-1]}\n")
    worst = {name: round(max(gap for gap, who in gaps if who == name), 1) for name in names if name != "ppca"}
    sys.stderr.write(f"{worst} {gaps[int(0.95 * len(gaps))]}\n")
    for race in ends:
        arena.stop(race)
    if Path("/proc/self/status").exists():
        status = [Path(f"/proc/{hand.pid}/status").read_text() for hand in arena._hands]
        kilobytes = sum(int(text.partition("VmHWM:")[2].split()[0]) for text in status)
        sys.stderr.write(f"workers took {kilobytes / 1e6:.2f} GB at most\n")
        assert kilobytes < 3.5e6  # the server and the page get the rest of 4 GB
