"""The visitor's own targets: what they become, and one clear sentence for all that they cannot be."""

from __future__ import annotations

import base64
import gzip
import io
import json
import math
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from playground.knobs import MAX_PIXELS, Refused
from playground.lab.formula import FUNCTIONS
from playground.lab.own import columns_of, from_csv, from_drawing, from_formula, from_picture
from playground.lab.points import MAX_POINTS, Points
from playground.lab.table import MAX_ROWS
from playground.lab.targets import Target, target_from

SENTENCE = r"(?s)^[A-Za-z].{20,600}\.$"
ROWS = np.random.default_rng(0).normal(size=(300, 2))


def cell_centres(side: int) -> np.ndarray:
    """(side^2, 2), the first row at the top."""
    ticks = (np.arange(side) + 0.5) * 8 / side - 4
    x, y = np.meshgrid(ticks, ticks[::-1])
    return np.stack([x.ravel(), y.ravel()], 1)


def again(target: Target) -> Target:
    """The target from its record, by way of JSON."""
    return target_from(json.loads(json.dumps(target.record())))


def drawing() -> bytes:
    pixels = np.zeros((128, 128), np.uint8)
    pixels[8:24, 64:96] = 255  # above the middle, to the right
    return pixels.tobytes()


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def lines(separator: str = ",", head: str = "a,b", rows: np.ndarray = ROWS) -> str:
    body = "\n".join(separator.join(f"{v:.4f}" for v in row) for row in rows)
    return f"{head}\n{body}" if head else body


def test_none_of_it_imports_torch_or_gradio() -> None:
    modules = "playground.lab.own, playground.lab.metrics, playground.lab.targets"
    code = f"import sys, {modules}; sys.exit(bool({{'torch', 'gradio', 'ot'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    "target",
    [
        from_drawing(drawing()),
        from_picture(png(np.arange(240, dtype=np.uint8).reshape(12, 20))),
        from_formula("exp(x)"),
    ],
    ids=["drawn", "picture", "formula"],
)
def test_rasters_are_exact_densities(target: Target) -> None:
    points = cell_centres(512)
    log_p = target.log_prob(points)
    p = np.exp(log_p) / 64**2
    assert p.sum() == pytest.approx(1, abs=1e-9)
    assert target.entropy == pytest.approx(-(p[p > 0] * log_p[p > 0]).sum(), abs=1e-9)
    assert np.isneginf(target.log_prob(np.array([[4.01, 0], [0, -4.01], [np.nan, 0], [np.inf, 0]]))).all()
    x = target.sample(50_000, np.random.default_rng(1))
    drawn = target.log_prob(x)
    assert np.isfinite(drawn).all()
    assert -drawn.mean() == pytest.approx(target.entropy, abs=5 * drawn.std() / len(x) ** 0.5)
    assert np.array_equal(again(target).log_prob(points), log_p)
    assert again(target).record() == target.record()


def test_a_drawing_is_where_it_was_drawn() -> None:
    target = from_drawing(drawing())
    inside, left, below, edge = target.log_prob(np.array([[1, 3], [-1, 3], [1, -3], [-0.05, 3]]))
    assert inside > edge > left
    assert left == below == -math.inf


@pytest.mark.parametrize(
    ("width", "height", "where"), [(40, 20, "wide"), (20, 40, "tall"), (1, 300, "line"), (300, 200, "large")]
)
def test_a_picture_keeps_its_shape(width: int, height: int, where: str) -> None:
    pixels = np.full((height, width), 40, np.uint8)
    pixels[: (height + 1) // 2] = 200
    x = from_picture(png(pixels)).sample(4000, np.random.default_rng(0))
    assert x[:, 1].min() >= -0.05  # the upper half is bright
    widest = 4 * width / max(width, height)
    assert abs(x[:, 0]).max() == pytest.approx(widest, abs=0.1)
    assert x[:, 1].max() == pytest.approx(4 * height / max(width, height), abs=0.1)
    assert from_picture(png(pixels), dark=True).sample(4000, np.random.default_rng(0))[:, 1].max() <= 0.1


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: from_drawing(bytes(128 * 128)), "empty"),
        (lambda: from_drawing(bytes([255] * 3) + bytes(128 * 128 - 3)), "empty"),
        (lambda: from_drawing(b"short"), "128 x 128"),
        (lambda: from_picture(b""), "not a picture"),
        (lambda: from_picture(b"\x89PNG\r\n\x1a\n" + bytes(50)), "not a picture"),
        (lambda: from_picture(png(np.full((20, 20), 99, np.uint8))), "one shade"),
        (lambda: from_picture(bytes(6_000_000)), "6 MB"),
        (lambda: from_picture(png(np.zeros((2, MAX_PIXELS), np.uint8))), "million"),
    ],
)
def test_bad_drawings_and_pictures_are_refused(make, says: str) -> None:
    with pytest.raises(Refused, match=SENTENCE) as refusal:
        make()
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    "record",
    [
        {"drawn": None},
        {"drawn": {}},
        {"drawn": {"b64": "@"}},
        {"drawn": {"b64": "ü"}},
        {"drawn": {"b64": "A" * 10**6}},
        {"raster": {"b64": base64.b64encode(bytes(128 * 128)).decode()}},
        {"raster": {"b64": base64.b64encode(bytes(128)).decode()}},
        {"formula": None},
        {"formula": 3},
        {"points": None},
        {"points": {}},
        {"points": {"train": 3}},
        {"picture": {"b64": ""}},
        {3: 4},
    ],
)
def test_bad_records_are_refused(record: dict) -> None:
    with pytest.raises(Refused, match=SENTENCE):
        target_from(record)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", lambda x, y: 1 + 0 * x),
        ("2*x**2 + y**2 / 3", lambda x, y: 2 * x**2 + y**2 / 3),
        ("exp(-(x - 1)**2 - abs(y))", lambda x, y: np.exp(-((x - 1) ** 2) - abs(y))),
        ("(x > 0) * (y <= 1)", lambda x, y: (x > 0) * (y <= 1)),
        ("1 < x < 2", lambda x, y: (x > 1) & (x < 2)),
        ("where(x > 0, x, 0)", lambda x, y: np.maximum(x, 0)),
        ("where(x > 0, log(1 + x), 0.)", lambda x, y: np.log1p(np.maximum(x, 0))),
        ("max(0, sin(pi*x), y, -1)", lambda x, y: np.maximum(np.maximum(np.sin(np.pi * x), y), 0)),
        ("min(3, exp(x)) + e", lambda x, y: np.minimum(3, np.exp(x)) + np.e),
        ("cos(x)**2 * tanh(y)**2 + sqrt(16 - x*x)", lambda x, y: np.cos(x) ** 2 * np.tanh(y) ** 2 + np.sqrt(16 - x**2)),
        ("2**-x", lambda x, y: 2**-x),
        ("-x + 4 + +y + 4e0", lambda x, y: 8 - x + y),
        ("(x == x) + (y != y)", lambda x, y: 1 + 0 * x),
        (" + ".join(f"exp(-(x-{i})**2)" for i in range(-9, 6)).replace("--", "+"), None),
    ],
)
def test_formulas_mean_what_they_say(text: str, value) -> None:
    target = from_formula(text)
    if value:
        points = cell_centres(256)
        expected = value(*points.T).astype(float)
        assert np.allclose(np.exp(target.log_prob(points)), expected / expected.sum() * 32**2)
    assert target_from({"formula": text}).entropy == target.entropy


def test_a_formulas_gaussian_has_its_entropy() -> None:
    assert from_formula("exp(-(x**2 + y**2) / 0.5)").entropy == pytest.approx(
        1 + math.log(2 * math.pi * 0.25), abs=1e-3
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("__import__('os')", "'__import__'"),
        ("x.__class__", "cannot use the sign '.'"),
        ("open('f')", "'open'"),
        ("print(1)", "'print'"),
        ("(lambda: 1)()", "'lambda'"),
        ("[x for x in y]", "cannot use"),
        ("x if y else 1", "'if'"),
        ("True", "'True'"),
        ("'text'", "sign"),
        ("f(x)", "'f'"),
        ("x(1)", "x(1)"),
        ("abs", "abs"),
        ("exp(*x)", "*x"),
        ("exp(x=1)", "exp(x=1)"),
        ("x // 2", "x // 2"),
        ("x^2", "**"),
        ("1j", "'j'"),
        ("0x10", "'x10'"),
        ("\uff58", "'\uff58'"),
        ("x\x00", "sign"),
        ("1/0", "not finite everywhere"),
        ("log(x)", "not finite on 50.00%"),
        ("0 * (1 / 0)", "not finite"),
        ("1e999", "not finite"),
        ("exp(exp(exp(x**2)))", "not finite"),
        ("x", "negative on 50.00%"),
        ("-1", "negative everywhere"),
        ("0", "zero everywhere"),
        ("x == 99", "zero everywhere"),
        ("9**9**9", "power"),
        ("x**1000", "power"),
        ("x**(1/0)", "power"),
        ("2x", "cannot be read"),
        ("sin(", "cannot be read"),
        ("(" * 149 + "x" + ")" * 149, ""),
        ("x = 1", "cannot be read"),
        ("007", "cannot be read"),
        ("-" * 290 + "x", "nested"),
        ("max(x)", "2 or more"),
        ("exp()", "1 value in"),
        ("where(x, y)", "3 values"),
        ("x" * 301, "301 characters"),
        ("", "empty"),
        ("   \n", "empty"),
        (None, "empty"),
        (["x"], "empty"),
    ],
)
def test_bad_formulas_are_refused(text: object, says: str) -> None:
    start = time.thread_time()
    with pytest.raises(Refused, match=SENTENCE) as refusal:
        from_formula(text)
    assert says in str(refusal.value)
    assert time.thread_time() - start < 0.5


def test_every_function_is_named_to_who_asks() -> None:
    with pytest.raises(Refused) as refusal:
        from_formula("__import__('os').system('true')")
    assert all(name in str(refusal.value) for name in FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (lines(), ("a", "b")),
        (lines(";", "a;b"), ("a", "b")),
        (lines(";", "a;b").replace(".", ","), ("a", "b")),
        (lines("\t", "a\tb"), ("a", "b")),
        (lines("|", "a|b"), ("a", "b")),
        (lines(" ", "# a b"), ("a", "b")),
        (lines(", ", "a, b"), ("a", "b")),
        (lines("   ", ""), ("column 1", "column 2")),
        (lines(head=""), ("column 1", "column 2")),
        (lines(head="a,a"), ("a", "a (2)")),
        (lines(head="My data\n\na,b"), ("a", "b")),
        ("\ufeff" + lines(), ("a", "b")),
        (lines().encode("utf-16"), ("a", "b")),
        (lines(head="größe,b").encode("latin-1"), ("größe", "b")),
        (lines().replace("\n", "\r\n") + "\r\n\r\n", ("a", "b")),
        (lines().replace("\n", "\r"), ("a", "b")),
        (lines().replace("\n", "\n\n"), ("a", "b")),
        ('a,"the ""text"", quoted",b\n' + "\n".join(f'"{a:.4f}","x, y",{b:.4f}' for a, b in ROWS), ("a", "b")),
    ],
)
def test_tables_of_every_kind_are_read(text: str | bytes, names: tuple[str, str]) -> None:
    data = text if isinstance(text, bytes) else text.encode()
    found = columns_of(data)
    assert found.names == names
    assert found.rows == 300
    target, info = from_csv(data)
    assert info.startswith("240 rows to learn from, 60 held out; x = (")
    assert target.held_out is not None
    rows = np.concatenate([target.train, target.held_out]) * target.scale + target.centre
    assert np.allclose(rows[rows[:, 0].argsort()], ROWS[ROWS[:, 0].argsort()], atol=1e-4)


def test_points_are_split_once_and_drawn_from_one_part() -> None:
    target, info = from_csv(lines().encode(), ["b", "a"])
    assert target.columns == ("b", "a")
    assert isinstance(again(target), Points)
    assert again(target).record() == target.record()
    assert again(target).info == info
    assert not target.known
    assert target.entropy is None
    with pytest.raises(Refused):
        target.log_prob(np.zeros((1, 2)))
    train, held_out = (set(map(tuple, part.tolist())) for part in (target.train, target.held_out))
    assert not train & held_out
    few = target.sample(240, np.random.default_rng(0))
    assert set(map(tuple, few.tolist())) == train
    many = target.sample(5000, np.random.default_rng(0))
    assert many.shape == (5000, 2)
    assert many.dtype == np.float32
    assert set(map(tuple, many.tolist())) == train
    inside = np.abs(np.concatenate([target.train, target.held_out])) <= 2
    assert inside.mean(0) == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("\n".join(f"{a},{b if i % 3 else 'NaN'}" for i, (a, b) in enumerate(ROWS)), "100 rows without two numbers"),
        (lines() + "\n1e9,1", "Left out: 1 row far from"),
        (lines() + "\n1,inf\n1e999,1", "2 rows without"),
        ("\n".join(f"{i % 4},{i % 3}" for i in range(300)), "more than once"),
        ("\n".join(f"{a}e307,{b}" for a, b in ROWS), "240 rows"),
        ("\n".join(f"{a}e-312,{b}" for a, b in ROWS), "240 rows"),
        ("\n".join(f"{a if i % 50 == 0 else 0},{b}" for i, (a, b) in enumerate(ROWS)), "240 rows"),
        ("\n".join(f"{1.7e9 + i},{b}" for i, (a, b) in enumerate(ROWS)), "240 rows"),
    ],
)
def test_what_was_done_to_the_points_is_said(rows: str, says: str) -> None:
    target, info = from_csv(rows.encode())
    assert says in info
    assert np.isfinite(target.train).all()
    assert abs(target.train).max() <= 12


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("\n\n \n", "empty"),
        ("a,b", "no rows"),
        ("a,b\n1,2", "1 row with two numbers"),
        (lines(rows=ROWS[:19]), "19 rows"),
        ("a,b\n" + "\n".join(f"{a},5" for a, _ in ROWS), "Column b is constant"),
        ("a,b\n" + "\n".join("0,0" for _ in ROWS), "Column a is constant"),
        ("a,b\n" + "\n".join(f"{a},{1 - 2 * a}" for a, _ in ROWS), "one line"),
        ("name,city\n" + "ann,paris\n" * 50, "has none"),
        ("name,age\n" + "ann,30\n" * 50, "only age"),
        ("a,b\n" + "1,NaN\n" * 50, "only a"),
        ("a\n" + "\n".join(str(a) for a, _ in ROWS), "one column"),
        ("Hello world, this is a text.\nNothing; at all.\n" * 20, "two columns of numbers"),
        ("a,b\n" + "x" * 200_000 + ",1\n" + lines(head=""), "quotation mark"),
        (bytes(range(256)), "no text"),
        (lines() * 40 + "\x00", "no text"),
        (gzip.compress(lines().encode()), "no text"),
        (png(np.zeros((9, 9), np.uint8)), "no text"),
        (b"1,2\n" * 8_000_001, "32 MB"),
    ],
)
def test_bad_tables_are_refused(text: str | bytes, says: str) -> None:
    with pytest.raises(Refused, match=SENTENCE) as refusal:
        from_csv(text if isinstance(text, bytes) else text.encode())
    assert says.lower() in str(refusal.value).lower()


@pytest.mark.parametrize("columns", [["a", "c"], ["a"], ["a", "b", "b"], ["a", "a"], "ab", 3, [1, 2], [["a"], "b"]])
def test_columns_must_be_two_of_the_table(columns: object) -> None:
    with pytest.raises(Refused, match=SENTENCE):
        from_csv(lines().encode(), columns)  # type: ignore[arg-type]


def test_five_million_rows_are_thinned_at_once() -> None:
    hundred = np.random.default_rng(0).integers(0, 10, (100, 2))
    data = b"\n".join(b"%d,%d" % (a, b) for a, b in hundred.tolist()) + b"\n"
    start = time.thread_time()
    target, info = from_csv(b"x,y\n" + data * 50_000)
    assert time.thread_time() - start < 4  # two seconds where nothing else runs
    assert "Only one row in 51 was read, of 5,000,000." in info
    assert f"{MAX_POINTS:,} rows chosen at random" in info
    assert len(target.train) == 0.8 * MAX_POINTS
    assert columns_of(b"x,y\n" + data * 50_000).rows == 5_000_000
    assert len(json.dumps(target.record())) < 250_000
    assert MAX_ROWS == 100_000


@pytest.mark.parametrize(
    "change", [{"train": ""}, {"held_out": ""}, {"columns": ["a"]}, {"scale": [0, 1]}, {"info": 3}]
)
def test_a_points_record_is_checked_again(change: dict) -> None:
    record = from_csv(lines().encode())[0].record()
    record["points"] |= change
    if change == {"info": 3}:
        assert target_from(record).info == "3"
        return
    with pytest.raises(Refused, match=SENTENCE):
        target_from(record)


def test_a_points_record_holds_no_nan_and_no_giants() -> None:
    for bad in (np.nan, np.inf, 1e6):
        record = from_csv(lines().encode())[0].record()
        record["points"]["train"] = base64.b64encode(np.full((100, 2), bad, "<f4").tobytes()).decode()
        with pytest.raises(Refused, match=SENTENCE):
            target_from(record)
