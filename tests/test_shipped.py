"""What is promised of the models in pretrained/: they open, draw, and keep their word with their real weights."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, UNet2DModel
from sketching import garments, inked
from sklearn.decomposition import PCA
from torch import Tensor

from playground import catalog
from playground.capabilities import Classifies, Samples
from playground.data import datasets
from playground.evaluation.fidelity import judge_for
from playground.families.diffusion import Diffusion
from playground.families.flow import Flow
from playground.families.pixelcnn import PixelCNN
from playground.families.ppca import PPCA
from playground.pictures import to_data, to_pixels
from playground.recipes import recipes
from playground.rng import Rng

pytestmark = pytest.mark.weights
# Recipes that nobody has had the hours for yet; a name leaves this list with the commit that brings its weights.
AWAITED = {
    "kanji-stroke-rnn",
    "quickdraw-stroke-rnn",
    "quickdraw-sketch-rnn",
    "sheep-sketch-rnn",
    "omniglot-stroke-rnn",
    "emoji-outline-flow-matching",
}
SHIPPED = sorted(name for name, recipe in recipes().items() if recipe.device == "cpu" and name not in AWAITED)
DRAW_NOTHING = ("mnist-classifier", "mnist-autoencoder", "mnist-autoencoder-32")
DRAW_DIGITS = [name for name in SHIPPED if name.startswith("mnist-") and name not in DRAW_NOTHING]


def digits(n: int) -> tuple[Tensor, Tensor]:
    """Test pictures of MNIST, (n, 1, 28, 28), and their classes."""
    x, y = datasets()["mnist"].load("test")
    return torch.as_tensor(x[:n]).float() / 255, torch.as_tensor(y[:n])


def test_what_is_awaited_has_a_recipe_and_no_weights() -> None:
    assert recipes().keys() >= AWAITED
    assert AWAITED.isdisjoint(catalog.cards())


@pytest.mark.parametrize("name", SHIPPED)
def test_every_recipe_for_a_cpu_has_its_model_on_the_shelf(name: str) -> None:
    model, card = catalog.load(name), catalog.cards()[name]
    assert card.trained["steps"] == recipes()[name].steps
    assert card.metrics, "it has not been measured"
    assert {"card.json", "model.safetensors", "log.csv"} <= {p.name for p in (catalog.root() / name).iterdir()}
    if isinstance(model, Samples):
        assert (catalog.root() / name / "samples.png").is_file()
        x = model.sample(Rng(17, 12))  # garments differ in brightness: of three the mean says little
        assert x.shape == (12, *model.shape) and x.isfinite().all()
        real, _, _ = datasets()[card.data].examples()
        drawn, there = to_pixels(x), to_pixels(to_data(real[:200]))
        assert model.medium == "drawings" or (float(x.min()) >= 0 and float(x.max()) <= 1)
        assert abs(drawn.mean() - there.mean()) / 255 < 0.15, "as bright as its data, about"
        torch.testing.assert_close(model.sample(Rng(17, 12).pick([2])), x[2:3], atol=1e-4, rtol=0)


@pytest.mark.data
@pytest.mark.parametrize("name", [n for n in DRAW_DIGITS if n != "mnist-ppca"])  # one Gaussian draws no digits
def test_the_judge_recognises_what_is_drawn(name: str) -> None:
    """It is sure of many samples (of real digits: of 98 in 100), and sees all ten digits among them."""
    model, judge = catalog.load(name), catalog.load("mnist-classifier")
    assert isinstance(model, Samples) and isinstance(judge, Classifies)
    odds = judge.classify(model.sample(Rng(0, 200))).softmax(1)
    assert float((odds.max(1).values > 0.7).float().mean()) > 0.4
    assert len(odds.argmax(1).unique()) == 10


@pytest.mark.slow
def test_the_pixelcnns_memory_changes_nothing_and_is_ten_times_faster() -> None:
    """At the 16 pictures that a page asks for, in seconds of processor time, which other programs do not change."""
    model = catalog.load("mnist-pixelcnn")
    assert isinstance(model, PixelCNN)
    begun = time.process_time()
    cached = model.sample(Rng(17, 16))
    between = time.process_time()
    naive = model.sample_naively(Rng(17, 16))
    ended = time.process_time()
    assert torch.equal(cached, naive)
    assert ended - between >= 10 * (between - begun)


@pytest.mark.data
def test_the_flow_gives_every_picture_back() -> None:
    model, (x, _) = catalog.load("mnist-flow"), digits(100)
    assert isinstance(model, Flow)
    assert float((model.reconstruct(x) - x).abs().max()) <= 1e-3


@pytest.mark.data
def test_the_ppcas_density_is_sklearns() -> None:
    model, (x, _) = catalog.load("mnist-ppca"), digits(50)
    assert isinstance(model, PPCA)
    directions, noise = model.directions.double(), float(model.variance)
    stretch = directions.square().sum(0)
    other = PCA(n_components=model.latent[0])
    other.mean_, other.components_ = model.mean.double().numpy(), (directions / stretch.sqrt()).T.numpy()
    other.explained_variance_, other.noise_variance_ = (stretch + noise).numpy(), noise
    other.n_components_, other.whiten, other.n_features_in_ = model.latent[0], False, directions.shape[0]
    t, log_det = model.space.dequantise(x, Rng(0, 50))
    theirs = other.score_samples(t.numpy()) + log_det.numpy()
    np.testing.assert_allclose(model.log_prob(x, Rng(0, 50)).nats.numpy(), theirs, atol=1e-3)


def test_the_diffusion_models_folder_opens_with_diffusers_alone() -> None:
    model, folder = catalog.load("mnist-diffusion"), catalog.root() / "mnist-diffusion"
    assert isinstance(model, Diffusion)
    unet = UNet2DModel.from_pretrained(folder, use_safetensors=True, local_files_only=True).eval()
    scheduler = DDIMScheduler.from_pretrained(folder, local_files_only=True)
    x, t, label = Rng(0, 2).normal(4, 14, 14), torch.tensor([10, 900]), torch.tensor([3, 10])
    with torch.no_grad():
        torch.testing.assert_close(unet(x, t, label).sample, model.unet(x, t, label).sample, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(scheduler.alphas_cumprod.double(), model.kept, atol=1e-6, rtol=1e-3)


@pytest.mark.data
def test_the_class_that_was_asked_for_is_drawn() -> None:
    model, judge = catalog.load("mnist-diffusion"), catalog.load("mnist-classifier")
    assert isinstance(model, Diffusion) and isinstance(judge, Classifies)
    seen = [judge.classify(model.sample(Rng(0, 4), label=label, steps=10)).argmax(1) for label in model.labels]
    right = (torch.stack(seen) == torch.arange(10)[:, None]).float().mean()
    assert float(right) >= 0.9


@pytest.mark.parametrize("name", [name for name in SHIPPED if name.startswith("fashion-mnist-outline-")])
def test_garments_drawn_by_hand_are_recognised(name: str) -> None:
    """The classifier names most of what is drawn from them, though nobody tells the model the class."""
    model, judge, drawn = catalog.load(name), judge_for("fashion-mnist"), garments()
    sketch = torch.from_numpy(np.stack([inked(g["strokes"]) for g in drawn]))[:, None]
    *_, last = model.translate(sketch.repeat_interleave(3, 0), Rng(0, 3 * len(drawn)))
    classes = datasets()["fashion-mnist"].labels
    wanted = torch.tensor([classes.index(g["label"]) for g in drawn]).repeat_interleave(3)
    assert judge.classes(last.x).eq(wanted).float().mean() > 0.6
