"""From outlines to pictures: the maker of outlines, sketches drawn by hand, the activity, and how it is measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from evalshelf import SHAPE, toys
from sketching import PEN, drawn_for, garments, inked
from torch import Tensor
from toyshelf import put, sent, toy_shelf

from playground.backends import Request
from playground.backends.local import Local
from playground.catalog import Card
from playground.data import Dataset, datasets
from playground.evaluation.parts import Options, Task, parts
from playground.evaluation.translation import apart, likeness, nearest
from playground.families.outline_flow import OutlineFlow
from playground.families.outline_gan import OutlineGAN
from playground.outlines import FINE, STEEP, WIDTHS, Hand, outline
from playground.views import Images, Progress, Refusal, View

FASHION = datasets()["fashion-mnist"]
EMOJI = datasets()["emoji"]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def square(side: int = 28, low: int = 8, high: int = 20, bright: float = 1.0) -> Tensor:
    """A bright square on black, (1, 1, side, side)."""
    x = torch.zeros(1, 1, side, side)
    x[..., low:high, low:high] = bright
    return x


def drawn_by(x: Tensor, **changes: Tensor) -> Tensor:
    """The outline by a hand that is steady but for ``changes``."""
    steady = Hand.steady(x)
    return outline(x, 0, Hand(**{**vars(steady), **changes}))


# ---------------------------------------------------------------------------------------------------- the outline maker


@pytest.mark.parametrize("bright", [1.0, 0.3])
def test_a_square_becomes_a_ring(bright: float) -> None:
    ink = outline(square(bright=bright), 0)[0, 0] > 0.5
    distance = torch.full((28, 28), 99.0)
    for y in range(28):
        for x in range(28):
            inside = min(y - 8, 19 - y, x - 8, 19 - x)
            outside = max(8 - y, y - 19, x - 8 and 8 - x, x - 19)
            distance[y, x] = inside if inside >= 0 else -outside
    assert not ink[distance >= 2].any() and not ink[distance <= -2].any(), "no ink but along the edge"
    rows = ink[10:18]
    assert rows[:, 6:10].any(1).all() and rows[:, 18:22].any(1).all(), "no gap in the edges"
    assert torch.equal(ink, ink.T) or float((ink != ink.T).float().mean()) < 0.02


def test_things_on_white_have_the_same_outline_as_on_black() -> None:
    x = square()
    assert torch.equal(outline(x, 0), outline(1 - x, 1))
    assert torch.equal(outline(x.expand(-1, 3, -1, -1), 0), outline(x, 0))


def test_what_touches_the_frame_has_an_edge_there() -> None:
    ink = outline(square(low=0, high=14), 0)[0, 0]
    assert (ink[0, 1:13] > 0).all() and (ink[1:13, 0] > 0).all()


def test_empty_paper_has_no_outline() -> None:
    assert not outline(torch.zeros(2, 1, 8, 8), 0).any() and not outline(torch.ones(2, 3, 8, 8), 1).any()


@pytest.mark.parametrize("data", [FASHION, EMOJI], ids=["fashion-mnist", "emoji"])
def test_outlines_are_thin_and_alike_alone_and_in_company(data: Dataset) -> None:
    levels, _ = data.fixture()
    x, paper = torch.as_tensor(levels).float() / 255, float(data is EMOJI)
    ink = outline(x, paper)
    assert ink.shape == (len(x), 1, *x.shape[2:]) and float(ink.min()) >= 0 and float(ink.max()) <= 1
    assert (ink.flatten(1).mean(1) > 0.02).all() and (ink.flatten(1).mean(1) < 0.4).all()
    eroded = -torch.nn.functional.max_pool2d(-(ink > 0.5).float(), 3, 1, 1)
    assert float(eroded.mean()) < 0.03, "hardly any ink is three pixels thick"
    torch.testing.assert_close(outline(x[3:4], paper), ink[3:4])


def test_a_hand_depends_on_its_generator_alone() -> None:
    x = torch.as_tensor(FASHION.fixture()[0]).float() / 255
    one, same, other = (outline(x, 0, Hand.shaky(x, seeded(s))) for s in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)
    clean = outline(x, 0)
    found = [likeness((a > 0.5).numpy(), (b > 0.5).numpy())[1] for a, b in zip(one[:, 0], clean[:, 0], strict=True)]
    assert 0.2 < float(np.mean(found)) < 2.0, "off by about a pixel"


def test_strokes_are_as_wide_as_they_are_told() -> None:
    x = square()
    for width in range(WIDTHS[0], WIDTHS[1] + 1):
        line = drawn_by(x, width=torch.tensor([float(width)]))[0, 0, 14, :14]
        assert float(line.sum()) == pytest.approx(width / FINE)


def test_a_bend_moves_the_outline() -> None:
    x, steady = square(), outline(square(), 0)
    bend = torch.zeros(1, 2, 28, 28)
    bend[:, 0] = -2.0  # each place shows what was two pixels to its left
    torch.testing.assert_close(drawn_by(x, bend=bend)[..., 2:], steady[..., :-2])


def test_gaps_and_details_are_left_out() -> None:
    x = square() - 0.5 * square(low=11, high=17)  # a darker square inside
    whole = drawn_by(x, steep=torch.tensor([STEEP]))
    outer = drawn_by(x, steep=torch.tensor([2.0]))
    assert float(outer[..., 12:16, 12:16].sum()) == 0 < float(whole[..., 10:18, 10:18].sum())
    torch.testing.assert_close(outer[..., :9, :], whole[..., :9, :])
    gap = torch.zeros(1, 1, 28, 28)
    gap[..., :14] = 1
    assert not drawn_by(x, gap=gap)[..., :13].any() and drawn_by(x, gap=gap)[..., 15:].any()


# ------------------------------------------------------------------------------------------------------------ measures


def test_likeness_is_one_for_the_same_and_falls_with_distance() -> None:
    line = np.zeros((28, 28), bool)
    line[10] = True
    assert likeness(line, line) == (1.0, 0.0)
    assert likeness(line, np.roll(line, 1, 0)) == (1.0, 1.0)
    assert likeness(line, np.roll(line, 3, 0)) == (0.0, 3.0)
    assert likeness(line, np.zeros_like(line)) == (0.0, math.hypot(28, 28))
    both = line | np.roll(line, 9, 0)  # half of its ink is far away
    f1, chamfer = likeness(line, both)
    assert f1 == pytest.approx(2 * 0.5 / 1.5) and chamfer == pytest.approx(9 / 4)


def test_a_training_picture_is_nearest_to_its_own_outline() -> None:
    x = torch.as_tensor(FASHION.fixture()[0][::2]).float() / 255
    model = OutlineGAN(width=8, deep=8)
    assert torch.equal(nearest(model, model.outline(x[[4, 7, 0]]), x), torch.tensor([4, 7, 0]))


def test_pictures_apart() -> None:
    x = torch.zeros(2, 3, 1, 4, 4)
    x[0, 1] = 1
    torch.testing.assert_close(apart(x), torch.tensor([2 / 3, 0.0]))


def test_what_is_measured_of_a_translation(tmp_path: Path) -> None:
    with toys(tmp_path):
        init = {"shape": SHAPE, "labels": ("0", "1"), "width": 4, "deep": 4, "hidden": 4, "norm_groups": 2}
        model = OutlineGAN(**init).eval().requires_grad_(False)  # type: ignore[arg-type]
        card = Card("outlines", "toys", "OutlineGAN", {}, "toy", model.labels, "outlines", 0, "", 1, {})
        task = Task(card, model, Options(n=60, folder=tmp_path, quiet=True))
        assert parts()["translation"].fits(task) and not parts()["fidelity"].fits(task)
        found = parts()["translation"].measure(task)
        assert found == parts()["translation"].measure(task)
        timed = parts()["timing"].measure(task)["seconds_per_16"]
    kinds = {f"outline_{name}{end}" for name in ("f1", "chamfer", "frechet") for end in ("", "_by_hand")}
    shown = {"outline_accuracy", "outline_diversity", "outline_diversity_class", "outline_frechet_floor"}
    truth = {"outline_f1_by_hand_truth", "outline_chamfer_by_hand_truth"}
    assert set(found) == kinds | {f"{k}_nearest" for k in kinds} | shown | truth
    for metric in found.values():
        assert metric.protocol[0].isupper() and metric.protocol.endswith(".") and math.isfinite(metric.value)
        assert metric.stderr is not None
    assert "16 samples (temperature = 1.0)" in timed.protocol


# -------------------------------------------------------------------------------------------------------- the families


def test_guidance_of_one_is_the_model_and_empty_paper_is_unguided() -> None:
    model = OutlineFlow.tiny().eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=seeded(3))
    sketch, label = square(8, 2, 6), torch.tensor([1])
    x, t = torch.randn(1, 1, 8, 8, generator=seeded()), torch.tensor([0.3])
    led = model.velocity(x, t, label, model.hint(sketch))
    unled = model.velocity(x, t, torch.tensor([3]), model.hint(torch.zeros_like(sketch)))
    torch.testing.assert_close(model.flow(sketch, label, 1.0)(x, 0.3), led)
    torch.testing.assert_close(model.flow(sketch, label, 2.5)(x, 0.3), unled + 2.5 * (led - unled))


def test_an_outline_flow_may_begin_with_the_weights_of_a_flow() -> None:
    from playground.families.picture_flow import PictureFlow

    old = PictureFlow(shape=(1, 8, 8), classes=3, width=8, deep=8, blocks=1, norm_groups=4)
    new = OutlineFlow.tiny()
    found = new.load_state_dict(dict(old.named_parameters()), strict=False)
    assert not found.unexpected_keys and all(k.startswith(("hint", "greys")) for k in found.missing_keys)
    x, t, label = torch.randn(2, 1, 8, 8, generator=seeded()), torch.tensor([0.2, 0.7]), torch.tensor([0, 3])
    hint = new.hint(square(8, 2, 6).expand(2, -1, -1, -1))
    torch.testing.assert_close(new.velocity(x, t, label, hint), old.velocity(x, t, label))  # it begins at zero


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_the_painter_and_its_reader_learn_in_their_own_turn_only(player: str) -> None:
    model = OutlineGAN.tiny()
    x = torch.rand(8, 1, 8, 8, generator=seeded())
    next(iter(model.loss(x, torch.arange(8) % 3, seeded(), player).values())).backward()
    for part in (model.generator, model.encoder):
        assert any(p.grad is not None for p in part.parameters()) == (player == "generator")
    assert {id(p) for p in model.weights().parameters()} == {id(p) for p in model.generator.parameters()}


# --------------------------------------------------------------------------------------------------------- the activity


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        small = {"width": 8, "deep": 8, "norm_groups": 4}
        with torch.random.fork_rng():
            torch.manual_seed(0)
            put(OutlineFlow(**small), "toy-outline-flow", "fashion-mnist", **small)
            put(OutlineGAN(labels=FASHION.labels, **small), "toy-outline-gan", "fashion-mnist",
                labels=list(FASHION.labels), **small)  # fmt: skip
        yield Local("cpu")


def shown(local: Local, model: str, activity: str = "translate", **knobs: object) -> dict[str, View]:
    views = list(local.run(Request(model, activity, knobs, 3)))
    return {v.key: v for v in views if not isinstance(v, Progress)}


def canvas(strokes: list[list[list[float]]], side: int = 28) -> str:
    """A canvas of the page's, bright ink on black."""
    grey = (255 * inked(strokes, side, PEN * side / 28)).round().astype(np.uint8)
    return sent(np.repeat(grey[..., None], 3, 2))


@pytest.mark.parametrize(("model", "label"), [("toy-outline-flow", "3"), ("toy-outline-gan", "Dress")])
def test_an_outline_is_translated(local: Local, model: str, label: str) -> None:
    sketch = garments()[0]["strokes"]
    views = shown(local, model, canvas=canvas(sketch), n=3, label=label)
    main, given = views["main"], views["given"]
    assert isinstance(main, Images) and main.pixels.shape == (3, 28, 28, 1)
    assert f"class {label}" in main.caption and "your outline" in main.caption and main.seconds is not None
    assert isinstance(given, Images)
    np.testing.assert_allclose(given.pixels[0, ..., 0] / 255, inked(sketch), atol=0.003)
    one = shown(local, model, canvas=canvas(sketch), n=1, label=label)["main"]
    assert isinstance(one, Images)
    np.testing.assert_array_equal(one.pixels[0], main.pixels[0])
    large = shown(local, model, canvas=canvas(sketch, 280), n=1)["given"]
    assert isinstance(large, Images) and np.abs(large.pixels - given.pixels.astype(int)).mean() < 4


def test_without_a_canvas_a_test_picture_is_taken(local: Local) -> None:
    views = shown(local, "toy-outline-gan", n=2)
    given = views["given"]
    assert isinstance(given, Images) and given.captions == ("outline", "its picture") and given.pixels[0].any()
    assert "test picture" in views["main"].caption


def test_a_blank_canvas_and_a_model_without_outlines_are_refused(local: Local) -> None:
    blank = shown(local, "toy-outline-gan", canvas=sent(np.zeros((28, 28, 3), np.uint8)))["main"]
    assert isinstance(blank, Refusal) and "draw an outline" in blank.text
    assert isinstance(shown(local, "toy-classes")["main"], Refusal)
    assert isinstance(shown(local, "toy-outline-gan", activity="generate")["main"], Refusal)


# ----------------------------------------------------------------------------------------------------- drawn by hand


def test_the_garments_are_of_every_kind() -> None:
    assert len(garments()) >= 12 and {g["label"] for g in garments()} == set(FASHION.labels)


@pytest.mark.parametrize("data", [FASHION, EMOJI], ids=["fashion-mnist", "emoji"])
def test_sketches_are_strokes_within_the_frame(data: Dataset) -> None:
    drawn = drawn_for(data.name)
    assert drawn and {g["label"] for g in drawn} <= set(data.labels)
    assert len({g["name"] for g in drawn}) == len(drawn)
    for sketch in drawn:
        points = np.concatenate([np.asarray(s) for s in sketch["strokes"]])
        assert points.shape[1] == 2 and points.min() >= 0 and points.max() <= 1
        assert 0.05 < inked(sketch["strokes"]).mean() < 0.4
