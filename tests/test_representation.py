"""Probes of codes: the classifiers against scikit-learn, what is measured beside what, and refusals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from evalshelf import TOY, command, metrics_of, task_of, toys
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from torch import Tensor

from playground.evaluation import representation
from playground.families.vae import VAE
from playground.knobs import Refused


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    with toys(tmp_path) as folder:
        yield folder


def blobs(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Three classes in four dimensions that overlap a little."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.randint(3, (n,), generator=generator)
    return torch.randn(n, 4, generator=generator) + 1.5 * torch.nn.functional.one_hot(label, 4), label


def test_neighbours_are_those_of_scikit_learn() -> None:
    (train, _), (x, _) = blobs(200, 0), blobs(30, 1)
    wanted = NearestNeighbors(n_neighbors=7).fit(train.numpy()).kneighbors(x.numpy())[1]
    assert representation.neighbours(train, x, 7).tolist() == wanted.tolist()


@pytest.mark.parametrize("k", [1, 5, 20])
def test_the_vote_is_that_of_scikit_learn(k: int) -> None:
    (train, label), (x, _) = blobs(200, 0), blobs(50, 1)
    wanted = KNeighborsClassifier(k).fit(train.numpy(), label.numpy()).predict(x.numpy())
    found = representation.vote(label[representation.neighbours(train, x, 20)], k, 3)
    assert found.tolist() == wanted.tolist()


def test_validation_chooses_and_test_counts() -> None:
    (train, label), valid, test = blobs(300, 0), blobs(200, 1), blobs(200, 2)
    x, y = (t.numpy() for t in (train, label))
    ways = [KNeighborsClassifier(k).fit(x, y) for k in representation.KS]
    best = max(ways, key=lambda way: way.score(*(t.numpy() for t in valid)))
    assert representation.knn(train, label, valid, test) == pytest.approx(best.score(*(t.numpy() for t in test)))
    ways = [LogisticRegression(C=c, max_iter=300).fit(x, y) for c in representation.STRENGTHS]
    best = max(ways, key=lambda way: way.score(*(t.numpy() for t in valid)))
    assert representation.probe(train, label, valid, test) == pytest.approx(best.score(*(t.numpy() for t in test)))


def test_principal_components_are_those_of_scikit_learn() -> None:
    x = blobs(200, 0)[0] @ torch.diag(torch.tensor([1.0, 3.0, 0.5, 2.0]))
    wanted = PCA(2).fit(x.numpy()).transform(x.numpy())[:, ::-1]
    found = representation.principal(x, 2)(x).numpy()
    assert abs(found) == pytest.approx(abs(wanted), abs=1e-4)


def test_codes_stand_beside_pixels_components_and_an_untrained_encoder(shelf: Path) -> None:
    assert command(shelf, "vae", "--only", "representation") == 0
    found = metrics_of("vae")
    for name, metric in found.items():
        assert metric.n == 300 and metric.stderr is not None
        assert metric.stderr == pytest.approx(math.sqrt(metric.value * (1 - metric.value) / 300), rel=1e-4)
        assert ("60 of the labels" in metric.protocol) == ("_60" in name)
    assert found["probe_all_pixels"].value > 0.8  # one class is brighter
    assert "the 2 numbers of its code" in found["probe_all"].protocol
    assert "the 16 pixels" in found["knn_all_pixels"].protocol
    assert "the first 2 principal components" in found["knn_all_pca"].protocol
    assert "untrained" in found["knn_all_random"].protocol


def test_baselines_are_measured_once_for_all_models(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(shelf, "vae", "--only", "representation")
    before = metrics_of("vae")
    encoded: list[str] = []
    scored = representation.scored

    def spied(task: object, encoder: object, sets: object, words: str) -> object:
        encoded.append(words)
        return scored(task, encoder, sets, words)  # type: ignore[arg-type]

    monkeypatch.setattr(representation, "scored", spied)
    assert representation.measure(task_of("vae", shelf / "runs" / "evaluation")) == before
    assert len(encoded) == 2  # the code and the untrained encoder's


def test_a_slow_encoder_gets_fewer_pictures(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr(representation.time, "process_time", lambda: 40.0 * next(ticks))  # two seconds for each picture
    sets = representation.affordable(task_of("vae", shelf), lambda x: x)
    assert [len(p.x) for p in (sets.train, sets.valid, sets.test)] == [60, 60, 180]
    assert list(sets.amounts) == ["60"]
    assert "60 labels and 180 test pictures" in capsys.readouterr().out
    monkeypatch.setattr(representation, "LONGEST", 100.0)
    with pytest.raises(Refused, match="would take 6 min"):
        representation.affordable(task_of("vae", shelf), lambda x: x)


def test_few_labels_and_dead_encoders_are_refused(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_of("vae", shelf)
    sets = representation.affordable(task, lambda x: x)
    with pytest.raises(Refused, match="are the same for all pictures"):
        representation.scored(task, lambda x: 0 * x, sets, "its numbers")
    monkeypatch.setattr(representation, "FEW", 1000)
    with pytest.raises(Refused, match="300 training pictures are too few for a probe with 1000 labels"):
        representation.measure(task)


def test_an_untrained_encoder_is_always_the_same_and_no_other(shelf: Path) -> None:
    task, before = task_of("vae", shelf), torch.get_rng_state()
    x = torch.as_tensor(TOY.load("test")[0][:5]).float() / 255
    one, other = (representation.untrained(task.card).encode(x) for _ in range(2))
    assert torch.equal(one, other) and torch.equal(before, torch.get_rng_state())
    assert isinstance(task.model, VAE) and not torch.allclose(one, task.model.encode(x))
