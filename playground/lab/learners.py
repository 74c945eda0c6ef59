"""Who races: each family of the plane, with the settings a visitor may change. Nothing here imports torch."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from playground.knobs import Choice, Slider, Spec

if TYPE_CHECKING:
    from playground.capabilities import Model


@dataclass(frozen=True)
class Learner:
    """One learner of the laboratory.

    Args:
        name: in records and addresses.
        title: above its panel.
        short: where there is little room.
        family: the file and class in ``playground.families``.
        knobs: what a visitor may set; the model is built anew with it.
        fixed: what is always set besides.
        drawing: knobs of the family's own ``sample``, for all samples.
        sketch: further ones for the panel's points while it learns: fewer steps than its numbers are measured with.
        heavy: whether a picture of it takes many evaluations of its network.
    """

    name: str
    title: str
    short: str
    family: str
    knobs: tuple[Spec, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    drawing: Mapping[str, Any] = field(default_factory=dict)
    sketch: Mapping[str, Any] = field(default_factory=dict)
    heavy: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """Each knob's default."""
        return {spec.name: spec.default for spec in self.knobs}

    def model_class(self) -> type[Model]:
        """The family itself; importing it imports torch."""
        module, _, name = self.family.partition(".")
        family: type[Model] = getattr(importlib.import_module(f"playground.families.{module}"), name)
        return family

    def facts(self) -> dict[str, Any]:
        """Plain values for the page."""
        plain = {"name": self.name, "title": self.title, "short": self.short, "family": self.family}
        knobs = [spec.to_json() for spec in self.knobs]
        return {**plain, "settings": self.settings, "knobs": knobs, "heavy": self.heavy}


def _width(default: int) -> Spec:
    return Spec("width", Slider(8, 256, 8, help="units of each hidden layer"), default)


PLAIN = {"shape": (2,), "levels": None}  # no pictures here: the data as they are
NOISY = {"noise": True}  # with the noise that the density includes

RACERS = (
    Learner(
        *("mixture", "Gaussian mixture", "Mixture", "mixture.MixtureOfFactorAnalysers"),
        knobs=(Spec("components", Slider(1, 64, 1, help="how many Gaussians"), 16),),
        fixed={**PLAIN, "factors": 1},
        drawing=NOISY,
    ),
    Learner(*("ppca", "Probabilistic PCA", "PPCA", "ppca.PPCA"), fixed={**PLAIN, "factors": 1}, drawing=NOISY),
    Learner(*("vae", "VAE", "VAE", "vae.GaussianVAE"), knobs=(_width(64),)),
    Learner(*("gan", "GAN", "GAN", "gan.DenseGAN"), knobs=(_width(64),)),
    Learner(*("wgan", "Wasserstein GAN", "WGAN", "wgan.WassersteinGAN"), knobs=(_width(64),)),
    Learner(*("realnvp", "RealNVP", "RealNVP", "realnvp.RealNVP"), knobs=(_width(32),)),
    Learner(*("spline", "Neural spline flow", "Spline", "spline.NeuralSplineFlow"), knobs=(_width(64),)),
    Learner(
        *("autoregressive", "Autoregressive", "Autoregr.", "autoregressive.AutoregressiveMixture"),
        knobs=(_width(64),),
    ),
    Learner(
        *("flow_matching", "Flow matching", "Flow m.", "flow_matching.FlowMatching"),
        knobs=(
            _width(64),
            Spec("pairing", Choice("independent", "optimal transport", help="noise and data"), "independent"),
        ),
        sketch={"solver": "Heun", "steps": 5},
        heavy=True,
    ),
    Learner(
        *("energy", "Energy-based", "Energy", "energy.EnergyBased"),
        knobs=(_width(64),),
        sketch={"steps": 16},
        heavy=True,
    ),
    Learner(
        *("score", "Score-based", "Score", "score.ScoreBased"), knobs=(_width(64),), sketch={"steps": 6}, heavy=True
    ),
    Learner(
        *("ddpm", "Diffusion (DDPM)", "DDPM", "ddpm.DDPM"),
        knobs=(_width(64),),
        sketch={"sampler": "DDIM", "steps": 8},
        heavy=True,
    ),
    Learner(
        *("autoencoder", "Autoencoder", "AE", "autoencoder.Autoencoder"),
        knobs=(_width(64), Spec("latent", Slider(1, 2, 1, help="numbers in the code"), 1)),
    ),
)


@lru_cache(maxsize=1)
def learners() -> dict[str, Learner]:
    """Every learner by name, in the order in which the page shows them."""
    return {learner.name: learner for learner in RACERS}
