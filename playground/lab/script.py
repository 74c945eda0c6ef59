"""The script that reproduces one panel: at most 60 lines, the same data, seed and steps, and so the same numbers."""

from __future__ import annotations

import base64
import json
import textwrap
import zlib
from collections.abc import Mapping
from typing import Any

from playground.lab.learners import learners

LONG = 400  # characters of a target's record that are still written out; a longer one is packed

TEMPLATE = '''\
"""{title} of the density laboratory, trained again: {steps} steps on {words}.

Run it in the playground's folder. It prints the panel's numbers and writes {name}.png.{note}
"""

{imports}
import numpy as np
import torch
from PIL import Image, ImageOps

from playground.capabilities import Density
from playground.families.{module} import {family}
from playground.lab.examiner import Truth, examine
from playground.lab.painter import HALF, PLACES, Painter, cells, log_prob
from playground.lab.targets import target_from
from playground.lab.trainer import Trainer, build

torch.set_num_threads(1)  # networks as small as this only wait for a second one
SEED, STEPS, DATA, RATE, SIDE = {seed}, {steps}, {data}, {rate}, 128
SETTINGS = {settings}
DRAWING = {drawing}
TARGET = {target}

target = target_from(TARGET)
data = torch.from_numpy(target.sample(DATA, np.random.default_rng(SEED)))
trainer = Trainer(build({family}, SETTINGS, SEED), data, SEED, RATE)
trainer.advance_steps(STEPS)
model, truth = trainer.shown(), Truth.of(target, SEED)

numbers = {{}}
for found in examine(model, truth, SEED, DRAWING, {{}}, final=True):
    numbers |= found
for name, value in numbers.items():
    print(f"{{name:12}} {{value}}")

grey = np.zeros((SIDE, SIDE))
if isinstance(model, Density):  # the colours of the page: a power of the density, so that a hundredth is still seen
    nats = log_prob(model, torch.from_numpy(cells(SIDE)), SEED, {{}})[0].reshape(SIDE, SIDE)
    grey = np.exp(0.45 * (nats - nats.max()))
picture = ImageOps.colorize(Image.fromarray((255 * grey).astype(np.uint8)), "#14171d", "#fdee6b", mid="#2b7d8e")
picture = picture.resize((512, 512), Image.Resampling.BICUBIC)
painter = Painter({family}, DRAWING, SEED, torch.from_numpy(truth.held), {{"points": 0.0, "map": 0.0}})
x = np.frombuffer(painter.points(model), "<i2").reshape(-1, 2) / PLACES  # the panel's own points
for across, up in ((1 + np.array([1, -1]) * x[np.abs(x).max(1) < HALF] / HALF) * 256).astype(int).tolist():
    picture.putpixel((across, up), (255, 255, 255))
picture.save("{name}.png")
'''


def script(spec: Mapping[str, Any], name: str, steps: int, note: str = "") -> str:
    """Python that trains the learner ``name`` of the race ``spec`` again and prints its numbers.

    Args:
        spec: the race's, checked, with the settings that hold now: "target", "learners", "data", "seed", "rate".
        name: of the learner.
        steps: how many it has taken.
        note: a sentence for whoever reads it, such as that the panel was rewound.
    """
    learner = learners()[name]
    module, _, family = learner.family.partition(".")
    settings = {**learner.fixed, **spec["learners"][name]}
    rate = settings.pop("rate", spec["rate"])
    data = settings.pop("data", spec["data"])
    target, imports = _target(spec["target"])
    return TEMPLATE.format(
        title=learner.title,
        name=name,
        module=module,
        family=family,
        steps=int(steps),
        seed=int(spec["seed"]),
        data=int(data),
        rate=float(rate),
        settings=repr(settings),
        drawing=repr(dict(learner.drawing)),
        target=target,
        imports=imports,
        words=f"{int(data):,} points with seed {int(spec['seed'])}",
        note="\n\n" + "\n".join(textwrap.wrap(note, 110)) if note else "",
    )


def _target(record: Mapping[str, Any]) -> tuple[str, str]:
    """The record as Python, and the imports that this takes."""
    text = json.dumps(record, ensure_ascii=True)
    if len(text) <= LONG:
        return repr(json.loads(text)), ""
    packed = base64.b85encode(zlib.compress(text.encode(), 9)).decode()
    return f'json.loads(zlib.decompress(base64.b85decode("{packed}")))', "import base64\nimport json\nimport zlib\n"
