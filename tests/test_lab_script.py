"""The script of a panel: short, and when it is run it prints what the panel showed."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from playground.knobs import Refused
from playground.lab.examiner import Truth, examine
from playground.lab.learners import learners
from playground.lab.script import script
from playground.lab.targets import target_from
from playground.lab.trainer import Trainer, build

ROOT = Path(__file__).parent.parent
INK = np.zeros((128, 128), np.uint8)
INK[20:60, 30:90] = 255
DRAWN = {"drawn": {"b64": base64.b64encode(INK.tobytes()).decode()}}


def spec(target: dict[str, Any], name: str) -> dict[str, Any]:
    settings = learners()[name].settings
    return {"target": target, "learners": {name: settings}, "data": 2000, "seed": 5, "rate": 1.0}


def panel(asked: dict[str, Any], name: str, steps: int) -> dict[str, Any]:
    """The numbers of a race's panel: trained in uneven slices, as a race does."""
    learner, seed, target = learners()[name], asked["seed"], target_from(asked["target"])
    data = torch.from_numpy(target.sample(asked["data"], np.random.default_rng(seed)))
    model = build(learner.model_class(), {**learner.fixed, **asked["learners"][name]}, seed)
    trainer = Trainer(model, data, seed, asked["rate"])
    for part in (1, steps // 3, steps - 1 - steps // 3):
        trainer.advance_steps(part)
    numbers: dict[str, Any] = {}
    for found in examine(trainer.shown(), Truth.of(target, seed), seed, learner.drawing, {}, True):
        numbers |= found
    return numbers


def run(text: str, folder: Path) -> dict[str, str]:
    file = folder / "panel.py"
    file.write_text(text, encoding="utf-8")
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(file)], cwd=folder, env=surroundings, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split(maxsplit=1) for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("name", "target", "steps"),
    [
        ("mixture", {"name": "ring"}, 6),
        ("realnvp", {"name": "moons"}, 40),
        ("vae", DRAWN, 40),
        ("gan", {"name": "grid"}, 40),
        ("autoencoder", {"formula": "exp(-(x**2+y**2-4)**2)"}, 40),
    ],
)
def test_it_prints_what_the_panel_shows(name: str, target: dict[str, Any], steps: int, tmp_path: Path) -> None:
    asked = spec(target, name)
    printed = run(script(asked, name, steps), tmp_path)
    expected = panel(asked, name, steps)
    assert set(printed) == set(expected)
    for key, value in expected.items():
        if isinstance(value, float):
            assert float(printed[key]) == pytest.approx(value, rel=1e-6, abs=1e-9), key
        else:
            assert printed[key] == str(value)
    picture = Image.open(tmp_path / f"{name}.png")
    assert picture.size == (512, 512)
    assert len(np.unique(np.asarray(picture))) > 3  # neither empty nor of one shade


@pytest.mark.parametrize("name", list(learners()))
def test_it_is_short_and_it_is_python(name: str) -> None:
    for target in ({"name": "ring"}, DRAWN, {"formula": '1 + 0*x # "quoted"'}):
        text = script(spec(target, name), name, 1234, "It was rewound, so its weights may differ a little.")
        assert len(text.splitlines()) <= 60
        compile(text, "panel.py", "exec")


def test_a_formula_cannot_write_python() -> None:
    evil = {"formula": '"); import os; ("'}
    with pytest.raises(Refused):
        target_from(evil)
    assert repr(evil) in script(spec(evil, "ppca"), "ppca", 1)
