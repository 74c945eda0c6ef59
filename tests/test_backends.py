"""Local and Remote: one promise, two ways to keep it; batching and the cache."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from toyshelf import put, serving, toy_shelf

from playground.activities import Activity, activities
from playground.backends import Backend, Request
from playground.backends.batching import Batched
from playground.backends.cache import Cache, weight
from playground.backends.local import Local, prepare
from playground.backends.remote import Remote
from playground.capabilities import Model, Samples
from playground.knobs import Refused
from playground.rng import Rng
from playground.views import Images, Progress, Refusal, Text, View


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with toy_shelf(tmp_path_factory.mktemp("toys")):
        yield Local("cpu")


@pytest.fixture(scope="module")
def url(local: Local) -> Iterator[str]:
    with serving(local) as address:
        yield address


def last(backend: Backend, request: Request) -> View:
    return list(backend.run(request))[-1]


def test_describe_is_plain_and_opens_no_weights(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.catalog.load", lambda name: pytest.fail("weights were opened"))
    told = local.describe()
    assert json.loads(json.dumps(told))["models"] and told["default"] and told["device"].startswith("CPU")
    models = {m["name"]: m for m in told["models"]}
    assert models["toy-classes"]["fits"]["watch"] is None
    assert "single pass" in models["toy-blob"]["fits"]["watch"] and "watch" not in models["toy-blob"]["knobs"]
    titles = [(m["data"], m["title"]) for m in told["models"]]
    assert len(set(titles)) == len(titles)
    families = [m["family_title"] for m in told["models"]]
    assert len([a for a, b in itertools.pairwise(families) if a != b]) == len(set(families)) - 1
    label = next(k for k in models["toy-classes"]["knobs"]["generate"] if k["name"] == "label")
    assert tuple(label["options"]) == ("any", *"0123456789")
    others = next(k for k in models["toy-plain"]["knobs"]["compare"] if k["name"] == "others")
    assert list(others["default"]) == ["toy-blob", "toy-classes"]  # another family first
    assert {a["name"] for a in told["activities"]} == set(activities())


def test_helpers_are_not_listed(tmp_path: Path) -> None:
    from playground.families.classifier import Classifier

    with toy_shelf(tmp_path) as shelf:
        put(Classifier.tiny(), "judge", width=2, features=8)
        (shelf / "odd").mkdir()
        (shelf / "odd" / "card.json").write_text("{}")
        told = Local("cpu").describe()
    assert "judge" not in [m["name"] for m in told["models"]] and list(told["broken"]) == ["odd"]


def test_a_new_card_is_seen_at_once(tmp_path: Path) -> None:
    with toy_shelf(tmp_path):
        local = Local("cpu")
        before = {m["name"] for m in local.describe()["models"]}
        from playground.families.toy import Toy

        put(Toy(), "toy-new")
        assert {m["name"] for m in local.describe()["models"]} == before | {"toy-new"}


def test_equal_requests_are_computed_once(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request("toy-classes", "watch", {"n": 2}, 41)
    first = [v for v in local.run(request) if not isinstance(v, Progress)]
    monkeypatch.setattr(local, "model", lambda name: pytest.fail("computed again"))
    again = list(local.run(Request("toy-classes", "watch", {"n": 2, "steps": 5}, 41)))  # the default, spelt out
    assert again == [first[-1]]


def test_other_requests_are_not(local: Local) -> None:
    keys = {
        prepare(Request("toy-classes", "generate", knobs, seed)).key
        for knobs, seed in [({}, 0), ({}, 1), ({"n": 2}, 0), ({"label": "1"}, 0)]
    }
    assert len(keys) == 4 and prepare(Request("toy-plain", "generate")).key not in keys


def test_the_cache_forgets_the_oldest_first() -> None:
    views = (Images(pixels=np.zeros((10, 28, 28, 1), np.uint8)),)
    cache = Cache(3 * weight(views))
    for key in "abc":
        cache.put(key, views)
    assert cache.get("a") is views
    cache.put("d", views)
    assert cache.get("b") is None and cache.get("a") is views and cache.bytes == 3 * weight(views)
    cache.put("a", views)
    assert cache.bytes == 3 * weight(views)
    cache.put("large", views * 9)
    assert cache.get("large") is None and cache.get("d") is views


def test_work_stops_when_the_visitor_leaves(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, ended = [], []

    def endless(model: Model, rng: Rng) -> Iterator[View]:
        try:
            while True:
                steps.append(torch.is_grad_enabled())
                yield Progress(done=0, total=1)
        finally:
            ended.append(True)

    monkeypatch.setattr(
        "playground.backends.local.activities", lambda: {"endless": Activity("endless", endless, Samples, "")}
    )
    views = local.run(Request("toy-plain", "endless"))
    next(views), next(views)
    assert torch.is_grad_enabled()  # off while the activity works, and only then
    views.close()
    assert len(steps) == 2 and not any(steps) and ended


def test_a_bug_is_a_sentence_without_internals(
    local: Local, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def buggy(model: Model, rng: Rng) -> Iterator[View]:
        yield Text(text="so far")
        raise KeyError("/a/secret/path")

    monkeypatch.setattr(
        "playground.backends.local.activities", lambda: {"buggy": Activity("buggy", buggy, Samples, "")}
    )
    view = last(local, Request("toy-plain", "buggy"))
    assert isinstance(view, Refusal) and "secret" not in view.text and "KeyError" not in view.text
    number = view.text.split("report ")[1][:8]
    assert number in caplog.text and "secret" in caplog.text
    assert isinstance(last(local, Request("toy-plain", "generate")), Refusal)  # there is only buggy now
    monkeypatch.undo()
    assert isinstance(last(local, Request("toy-plain", "generate")), Images)


def test_warm_up_and_sheet(local: Local) -> None:
    local.warm_up(17)
    default = local.describe()["default"]
    assert prepare(Request(default, "generate", {}, 17)).key in local.cache._kept
    assert local.sheet(default) == b"" and local.sheet("../secret") == b"" and local.sheet("no") == b""


def test_the_device_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_DEVICE", "cpu")
    assert Local().device.type == "cpu"


class Slow:
    """Stands in for a model's sample: keeps count, takes its time."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sizes: list[int] = []
        self.error = error

    def __call__(self, rng: Rng, shift: float = 0.0) -> Tensor:
        self.sizes.append(len(rng))
        time.sleep(0.05)
        if self.error:
            raise self.error
        return rng.normal(3) + shift


def test_batches_are_the_same_pictures() -> None:
    slow = Slow()
    batched = Batched(slow, most=40)
    asked = [(seed, 1 + seed % 5, 0.5 * (seed % 2)) for seed in range(20)]
    with ThreadPoolExecutor(20) as pool:
        got = list(pool.map(lambda a: batched(Rng(a[0], a[1]), shift=a[2]), asked))
    for (seed, n, shift), x in zip(asked, got, strict=True):
        torch.testing.assert_close(x, Rng(seed, n).normal(3) + shift)
    assert len(slow.sizes) == batched.passes < 10 and max(slow.sizes) <= 40
    assert not batched._waiting


def test_an_error_reaches_everybody_and_the_next_is_served() -> None:
    slow = Slow(Refused("no"))
    batched = Batched(slow)
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(batched, Rng(i, 1)) for i in range(8)]
        assert all(isinstance(j.exception(), Refused) for j in jobs)
    slow.error = None
    assert batched(Rng(0, 2)).shape == (2, 3)


def test_many_visitors_at_once(local: Local) -> None:
    requests = [Request("toy-blob", "generate", {"n": 3}, 500 + seed) for seed in range(20)]
    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(lambda r: last(local, r), requests))
    fresh = Local("cpu")
    for request, view in zip(requests, together, strict=True):
        alone = last(fresh, request)
        assert isinstance(view, Images) and isinstance(alone, Images)
        assert np.abs(view.pixels.astype(int) - alone.pixels.astype(int)).max() <= 1  # batches round differently


@pytest.mark.parametrize("activity", ["generate", "watch", "reconstruct", "interpolate", "compare"])
def test_remote_shows_the_very_same(local: Local, url: str, activity: str) -> None:
    request = Request("toy-classes", activity, {}, 17)
    near, far = ([v for v in b.run(request) if not isinstance(v, Progress)] for b in (Local("cpu"), Remote(url)))
    finals = [{v.key: v for v in views} for views in (near, far)]
    assert finals[0].keys() == finals[1].keys()
    for key, view in finals[0].items():
        other = finals[1][key]
        assert type(view) is type(other) and view.title == other.title
        if "pixels" in vars(view):
            np.testing.assert_array_equal(vars(view)["pixels"], vars(other)["pixels"])


def test_remote_describes_and_refuses_as_the_other_does(local: Local, url: str) -> None:
    remote = Remote(url)
    told, own = remote.describe(), local.describe()
    assert told["device"].endswith(url)
    assert told["models"] == json.loads(json.dumps(own["models"]))
    assert remote.describe() is told  # not asked again
    assert remote.sheet("toy-plain") == b""
    for request in (
        Request("toy-blob", "watch"),
        Request("no", "generate"),
        Request("toy-blob", "generate", {"n": 99}),
    ):
        far, near = last(remote, request), last(local, request)
        assert isinstance(far, Refusal) and isinstance(near, Refusal) and far.text == near.text


def test_two_servers_in_a_row(local: Local, url: str) -> None:
    """A page on a laptop whose backend is a server elsewhere."""
    with serving(Remote(url)) as second:
        request = Request("toy-plain", "generate", {"n": 4}, 23)
        far, near = last(Remote(second), request), last(local, request)
    assert isinstance(far, Images) and isinstance(near, Images)
    np.testing.assert_array_equal(far.pixels, near.pixels)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://", "not an address"])
def test_nobody_there(address: str, caplog: pytest.LogCaptureFixture) -> None:
    remote = Remote(address)
    view = last(remote, Request("toy-plain", "generate"))
    assert isinstance(view, Refusal) and "does not answer" in view.text and address in view.text
    with pytest.raises(Refused, match="does not answer"):
        remote.describe()


@pytest.mark.slow
def test_a_connection_lost_on_the_way(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = threading.Event()

    def slowly(model: Model, rng: Rng) -> Iterator[View]:
        for i in range(200):
            yield Progress(done=i, total=200)
            time.sleep(0.05)
            if gone.is_set():
                return

    monkeypatch.setattr(
        "playground.backends.local.activities", lambda: {"slowly": Activity("slowly", slowly, Samples, "")}
    )
    started = time.monotonic()
    with serving(local) as address:
        remote = Remote(address)
        views = remote.run(Request("toy-plain", "slowly"))
        assert isinstance(next(views), Progress)
        threading.Timer(0.3, gone.set).start()
    rest = list(views)
    assert isinstance(rest[-1], Refusal | Progress) and time.monotonic() - started < 30


def test_leaving_cancels_the_far_work(local: Local, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def endless(model: Model, rng: Rng) -> Iterator[View]:
        try:
            while True:
                time.sleep(0.01)
                yield Progress(done=0, total=1)
        finally:
            ended.set()

    monkeypatch.setattr(
        "playground.backends.local.activities", lambda: {"endless": Activity("endless", endless, Samples, "")}
    )
    views = Remote(url).run(Request("toy-plain", "endless"))
    assert isinstance(next(views), Progress)
    views.close()
    assert ended.wait(10)


def test_many_visitors_through_one_remote(local: Local, url: str) -> None:
    remote = Remote(url)
    requests = [Request("toy-plain", "generate", {"n": 2}, 900 + seed) for seed in range(24)]
    with ThreadPoolExecutor(8) as pool:
        views = list(pool.map(lambda r: last(remote, r), requests))
    for request, view in zip(requests, views, strict=True):
        near = last(local, request)
        assert isinstance(view, Images) and isinstance(near, Images)
        np.testing.assert_array_equal(view.pixels, near.pixels)
    assert len(remote._idle) <= 8
