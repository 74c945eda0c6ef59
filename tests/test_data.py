"""The data sets: where they are looked for, what is said when they are nowhere, and what stands in for them."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hub import Hub
from huggingface_hub import close_session, constants
from PIL import Image

from playground.data import DataMissing, datasets, digits, sources
from playground.data.__main__ import main

REPO = "datasets/ylecun/mnist"
TRAIN, TEST = (f"mnist/{part}-00000-of-00001.parquet" for part in ("train", "test"))


def pictures(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise in MNIST's form: (n, 28, 28) uint8 and (n,) uint8."""
    rng = np.random.default_rng(n)
    return rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8)


def parquet(x: np.ndarray, y: np.ndarray) -> bytes:
    """A parquet file as the Hub has it: a PNG and a label per row."""
    rows = []
    for i, picture in enumerate(x):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        rows.append({"bytes": file.getvalue(), "path": f"{i}.png"})
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    table = pyarrow.table({"image": pyarrow.array(rows, type=kind), "label": pyarrow.array(y.astype(np.int64))})
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No folder, an empty cache, nothing remembered, and a small validation split."""
    monkeypatch.delenv("PLAYGROUND_DATA", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(sources, "_failures", {})
    monkeypatch.setattr(sources, "_kept", {})
    monkeypatch.setattr(sources, "VALID", 10)
    return tmp_path


@pytest.fixture
def hub(nowhere, monkeypatch):
    """A Hub that has a small MNIST."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with Hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.repos[REPO] = {TRAIN: parquet(*pictures(50)), TEST: parquet(*pictures(20))}
        yield server
    close_session()


def mnist(split):
    return datasets()["mnist"].load(split)


NAMES = ("mnist", "fashion-mnist", "binarized-mnist", "digits", "emoji", "emoji-64", "cifar10")


def test_the_registry_names_every_file():
    assert set(datasets()) == set(NAMES)
    assert all(name == data.name for name, data in datasets().items())


@pytest.mark.parametrize(
    "name", ["mnist", "fashion-mnist", "binarized-mnist", "digits", "emoji", "emoji-64", "cifar10"]
)
def test_a_stand_in_has_the_form_of_the_data(name):
    data = datasets()[name]
    x, y = data.fixture()
    assert x.shape == (len(y), *data.shape)
    assert (x.dtype, y.dtype) == (np.uint8, np.int64)
    assert set(y) == set(range(len(data.labels)))
    assert x.reshape(len(x), -1).max(1).min() > 100  # nothing is blank
    assert np.unique(x, axis=0).shape == x.shape  # nothing is there twice
    assert (data.fixture_note == "") == (name == "digits")


def test_the_stand_in_for_mnist_looks_like_mnist():
    x, _ = datasets()["mnist"].fixture()
    frame = x.copy()
    frame[:, :, 4:24, 4:24] = 0
    assert not frame.any()  # MNIST's digits are 20x20 in a frame of 4
    assert 0.08 < x.mean() / 255 < 0.18  # MNIST: 0.131


def test_digits_are_split_once_and_evenly():
    parts = {split: datasets()["digits"].load(split) for split in ("train", "valid", "test")}
    assert {split: len(y) for split, (_, y) in parts.items()} == {"train": 1254, "valid": 185, "test": 358}
    for x, y in parts.values():
        assert x.shape == (len(y), 1, 8, 8)
        share = np.bincount(y) / len(y)
        assert share.min() > 0.09 and share.max() < 0.11
    assert max(x.max() for x, _ in parts.values()) == 255
    x, y, note = datasets()["digits"].examples()
    assert len(x) == len(y) == 358 and note == ""


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "mean"), [("mnist", 0.1307), ("fashion-mnist", 0.2860), ("binarized-mnist", 0.1307)], ids=str
)
def test_the_real_data(name, mean):
    data = datasets()[name]
    for split, n in (("train", 50_000), ("valid", 10_000), ("test", 10_000)):
        x, y = data.load(split)
        assert x.shape == (n, *data.shape) and y.shape == (n,)
        assert (x.dtype, y.dtype) == (np.uint8, np.int64)
        assert x.mean() / 255 == pytest.approx(mean, abs=0.003)
    if name == "binarized-mnist":
        assert set(np.unique(x)) == {0, 255}
    x, y, note = data.examples()
    assert len(x) == 10_000 and note == ""


@pytest.mark.data
def test_the_tones_of_an_emoji_stay_together():
    parts = {split: datasets()["emoji"].load(split) for split in ("train", "valid", "test")}
    assert {split: x.shape for split, (x, _) in parts.items()} == {
        "train": (2873, 3, 32, 32),
        "valid": (342, 3, 32, 32),
        "test": (368, 3, 32, 32),
    }
    tones = [x[y == 6].mean((2, 3)).std() for x, y in parts.values()]  # people: with their tones in every split
    assert min(tones) > 10
    assert all(int(x.max()) == 255 and set(y) <= set(range(10)) for x, y in parts.values())


@pytest.mark.data
def test_mnist_is_in_the_official_order():
    classes = Counter(np.concatenate([mnist("train")[1], mnist("valid")[1]]).tolist())
    assert [classes[i] for i in range(10)] == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert mnist("train")[1][:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist("test")[1][:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_the_folder_beats_the_hub(hub, monkeypatch, tmp_path):
    x, y = pictures(30)
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x[:5], y_test=y[:5])
    assert (mnist("train")[0][:, 0] == x[:20]).all()
    assert (mnist("valid")[0][:, 0] == x[20:]).all()
    assert (mnist("test")[1] == y[:5]).all()
    assert hub.requests == []


def test_from_the_hub_once(hub, monkeypatch):
    x, y = pictures(50)
    found = mnist("train")
    assert (found[0][:, 0] == x[:40]).all() and (found[1] == y[:40]).all()
    assert (mnist("valid")[0][:, 0] == x[40:]).all()
    assert len(hub.gets()) == 1
    assert "/cdn/" in hub.gets()[0]  # large: the redirect was followed
    assert set(hub.tokens) == {None}  # public data: nobody's token is shown around
    asked = len(hub.requests)
    monkeypatch.setattr(sources, "_kept", {})  # as after a restart
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert (mnist("train")[0][:, 0] == x[:40]).all()
    assert len(hub.requests) == asked
    assert "snapshots" in datasets()["mnist"].where("train")


def test_a_broken_connection_is_resumed(hub):
    hub.drop = 3000
    assert len(mnist("test")[0]) == 20
    assert len(hub.gets()) == 2


def test_several_threads_decode_once(hub, monkeypatch):
    calls = []
    decode = sources.parquet
    monkeypatch.setattr(sources, "parquet", lambda path: calls.append(path) or time.sleep(0.05) or decode(path))
    found = []
    threads = [threading.Thread(target=lambda: found.append(mnist("test")[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == len(hub.gets()) == 1
    assert len(found) == 8 and all(np.shares_memory(x, found[0]) for x in found)


def sentence(split="test", name="mnist") -> str:
    with pytest.raises(DataMissing) as caught:
        datasets()[name].load(split)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(("name", "file"), [("mnist", "mnist.npz"), ("fashion-mnist", "fashion_mnist.npz")])
def test_offline_with_nothing_names_both_ways(nowhere, monkeypatch, name, file):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    text = sentence(name=name)
    assert f"set PLAYGROUND_DATA to a folder that holds {file}" in text
    assert f"python -m playground.data {name}" in text
    assert "HF_HUB_OFFLINE" in text
    x, y, note = datasets()[name].examples()
    assert len(x) == len(y) and "not on this machine" in note


@pytest.mark.parametrize(
    ("name", "file"),
    [("binarized-mnist", "binarized_mnist.npz"), ("emoji", "emoji64.npz"), ("cifar10", "cifar10_jpeg.npz")],
)
def test_some_data_have_one_way(nowhere, name, file):
    text = sentence(name=name)
    assert f"PLAYGROUND_DATA to a folder that holds {file}" in text and "not on the Hub" in text


def test_photographs_are_split_and_decoded(monkeypatch, tmp_path):
    """A file of the form of CIFAR-10's: bodies that share a header, the training pictures first."""
    colours = np.arange(40, dtype=np.uint8) * 6
    files = []
    for colour in colours:
        buffer = io.BytesIO()
        Image.new("RGB", (32, 32), (int(colour), 100, 200)).save(buffer, "JPEG", quality=92)
        files.append(buffer.getvalue())
    shared = 4  # every body begins after as many bytes
    bodies = [file[shared:] for file in files]
    np.savez(
        tmp_path / "cifar10_jpeg.npz",
        header=np.frombuffer(files[0][:shared], np.uint8),
        data=np.frombuffer(b"".join(bodies), np.uint8),
        offsets=np.cumsum([0, *map(len, bodies)]),
        label=np.arange(40) % 10,
        n_train=30,
    )
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    parts = {split: datasets()["cifar10"].load(split) for split in ("train", "valid", "test")}
    assert {split: len(y) for split, (_, y) in parts.items()} == {"train": 27, "valid": 3, "test": 10}
    x, y = parts["test"]
    assert x.shape == (10, 3, 32, 32) and list(y) == list(range(10))
    assert np.abs(x[:, 0].mean((1, 2)) - colours[30:]).max() < 4


def test_a_folder_without_the_file_is_no_folder(hub, monkeypatch, tmp_path):
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    assert len(mnist("test")[0]) == 20


def test_without_a_network_it_fails_fast_and_waits_a_minute_to_ask_again(hub, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(sources, "now", lambda: clock[0])
    hub.refuse = 503
    begun = time.monotonic()
    first = sentence()
    assert time.monotonic() - begun < 2  # huggingface_hub alone would try for 23 s
    assert "503" in first
    asked = len(hub.requests)
    hub.refuse = None
    clock[0] = 59.0
    assert sentence() == first
    assert sentence("train") == first  # the same repository
    assert len(hub.requests) == asked
    clock[0] = 61.0
    assert len(mnist("test")[0]) == 20


def test_nobody_answers(nowhere, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    begun = time.monotonic()
    assert "refused" in sentence()
    assert time.monotonic() - begun < 2
    close_session()


def test_a_hub_that_never_answers(hub, monkeypatch):
    monkeypatch.setattr(sources, "TIMEOUT", 0.2)
    hub.slow = 1.0
    begun = time.monotonic()
    assert "timed out" in sentence()
    assert time.monotonic() - begun < 1


def test_a_file_that_the_hub_lacks(hub):
    hub.repos[REPO].clear()
    assert "404" in sentence()
    hub.repos.clear()
    sources._failures.clear()
    assert "python -m playground.data mnist" in sentence()


def test_a_truncated_download_is_not_kept(hub):
    hub.cut = 2000
    assert "Consistency check failed" in sentence()
    hub.cut = None
    sources._failures.clear()
    assert len(mnist("test")[0]) == 20


def test_a_corrupt_copy_in_the_cache(hub, monkeypatch):
    mnist("test")
    path = datasets()["mnist"].where("test")
    with open(path, "r+b") as file:
        file.truncate(5000)
    monkeypatch.setattr(sources, "_kept", {})
    text = sentence()
    assert path in text and "delete it" in text


def test_another_table_under_that_name(hub):
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"text": ["no", "pictures"]}), file)
    hub.repos[REPO][TEST] = file.getvalue()
    assert "cannot be read" in sentence()


@pytest.mark.parametrize("size", [0, 100, 20_000], ids=["empty", "head", "most"])
def test_a_truncated_file_in_the_folder(nowhere, monkeypatch, size):
    x, y = pictures(50)
    path = nowhere / "mnist.npz"
    np.savez_compressed(path, x_train=x, y_train=y, x_test=x, y_test=y)
    whole = path.read_bytes()
    path.write_bytes(whole[:size])
    monkeypatch.setenv("PLAYGROUND_DATA", str(nowhere))
    text = sentence()
    assert str(path) in text and "cannot be read" in text and "copy it there again" in text
    path.write_bytes(whole)
    assert len(mnist("test")[0]) == 50  # put right, it is read at once


def test_damage_inside_a_file_in_the_folder(nowhere, monkeypatch):
    x, y = pictures(50)
    path = nowhere / "mnist.npz"
    np.savez_compressed(path, x_train=x, y_train=y, x_test=x, y_test=y)
    data = bytearray(path.read_bytes())
    data[5000:9000] = bytes(4000)
    path.write_bytes(data)
    monkeypatch.setenv("PLAYGROUND_DATA", str(nowhere))
    assert "cannot be read" in sentence("train")


@pytest.mark.parametrize(
    ("file", "name"), [("mnist.npz", "mnist"), ("binarized_mnist.npz", "binarized-mnist")], ids=str
)
def test_another_file_under_that_name(nowhere, monkeypatch, file, name):
    monkeypatch.setenv("PLAYGROUND_DATA", str(nowhere))
    np.savez(nowhere / file, x_test=np.zeros((5, 8, 8)), y_test=np.zeros(5), test=np.zeros(5), test_label=np.zeros(5))
    assert "does not hold" in sentence(name=name)
    np.savez(nowhere / file, other=np.zeros(5))
    assert "cannot be read" in sentence(name=name)
    np.savez(nowhere / file, **{k: np.array([{}]) for k in ("x_test", "y_test", "test", "test_label")})
    assert "cannot be read" in sentence(name=name)  # a pickle: never opened


def test_the_command_reports(hub, capsys):
    assert main(["mnist"]) == 0
    said = capsys.readouterr().out
    assert "train: 40 pictures" in said and "valid: 10 pictures" in said and "test: 20 pictures" in said
    assert "snapshots" in said


def test_the_command_says_what_is_missing(nowhere, capsys):
    assert main(["mnist"]) == 1
    assert "set PLAYGROUND_DATA" in capsys.readouterr().err
    assert main(["digits"]) == 0
    assert "scikit-learn" in capsys.readouterr().out


def test_digits_keep_their_values():
    x, _ = digits.read("train")
    assert len(np.unique(x)) == 17  # 0..16 ink dots, spread over 0..255
