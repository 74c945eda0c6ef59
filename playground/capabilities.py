"""What a generative model can do: a family's base classes are its specification.

``class VAE(Samples, Reconstructs, Density)`` reads as what a variational autoencoder is. A missing method fails when
the model is constructed, ``issubclass`` answers "can it?" without loading weights, and nobody asks ``hasattr``.

Data are float tensors (n, *shape); pictures are (n, channels, height, width) in [0, 1].
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from typing_extensions import Self

from playground.records import About, Kind, LogProb, Measure, State
from playground.rng import Rng

__all__ = ["About", "Kind", "LogProb", "Measure", "State"]  # described elsewhere, but asked for here


class Model(nn.Module, ABC):
    """A model of data of one shape.

    Attributes:
        shape: one datum's shape, without the batch axis.
        labels: the classes it can be conditioned on, none if it cannot be.
        cannot: why a capability is missing, by the capability's class name; the page greys it with this sentence.
        about: what a newcomer reads about its family; None for helpers such as classifiers, which no page lists.
        medium: what its data are: pictures, or drawings made of strokes.
        wants_float64: it computes partly in double precision, which Apple's GPUs lack: there it stays on the CPU.
    """

    shape: tuple[int, ...]
    labels: tuple[str, ...] = ()
    cannot: ClassVar[Mapping[str, str]] = {}
    about: ClassVar[About | None] = None
    medium: ClassVar[str] = "pictures"
    wants_float64: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def tiny(cls) -> Self:
        """A very small, untrained instance: what the contract tests run on."""

    def weights(self) -> nn.Module:
        """The part whose state is stored in model.safetensors: all of it, unless a part is only needed to train."""
        return self

    def sidecars(self) -> dict[str, str]:
        """Further text files for the model's folder, by file name, so that other libraries can open it."""
        return {}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.weights().parameters(), torch.empty(0)).device


class Learns(Model):
    """Trained by gradient descent."""

    def players(self) -> dict[str, list[nn.Parameter]]:
        """Who is trained, in the order they move: one player, or a game of several with an optimiser each."""
        return {"model": list(self.parameters())}

    @abstractmethod
    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """What ``player`` minimises on a batch, first; the rest is only logged.

        Args:
            x: (n, *shape) data, pictures in [0, 1].
            label: (n,) class indices, int64; ignored by models without labels.
            generator: the step's randomness, on the device of ``x``.
            player: a key of ``players()``.
        """


class Distils(Learns):
    """Trained by gradient descent, with a trained model as its teacher."""

    @abstractmethod
    def learn_from(self, teacher: Model) -> None:
        """Take the teacher in, before the first step; only ``weights()`` is stored, and it may be left out there.

        Raises:
            Refused: this is not a model that it can learn from.
        """


class Sprints(Learns):
    """Trained by gradients written out by hand, which a race needs: small networks wait for autograd, not for sums."""

    @abstractmethod
    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        """Write the gradient of ``loss`` into the ``.grad`` of the player's parameters, and return the loss, 0-d.

        The same draws from ``generator`` as ``loss`` makes, so the two agree to rounding.
        """


class Fits(Model):
    """Fitted to the whole training set at once, in closed form or by expectation-maximisation."""

    @abstractmethod
    def fit(self, x: Tensor, label: Tensor, generator: torch.Generator) -> Iterator[dict[str, float]]:
        """Improve on the whole of ``x``, (n, *shape): one yield of numbers to log per iteration, without an end.

        Called anew it goes on from the present weights.
        """


class Samples(Model):
    """Draws new data."""

    method: ClassVar[str] = "sample"
    lacks: ClassVar[str] = "this model cannot draw new data"

    @abstractmethod
    def sample(self, rng: Rng, **knobs: Any) -> Tensor:
        """New data, (len(rng), *shape). Further keywords are the family's own knobs."""


class Refines(Samples):
    """Draws in steps that can be watched."""

    method: ClassVar[str] = "refine"
    lacks: ClassVar[str] = "it draws in a single pass: there is nothing between the noise and the picture"

    @abstractmethod
    def refine(self, rng: Rng, **knobs: Any) -> Iterator[State]:
        """Every state on the way, the last of which is the sample."""

    def sample(self, rng: Rng, **knobs: Any) -> Tensor:
        """The last state of ``refine``."""
        for state in self.refine(rng, **knobs):  # noqa: B007 - the last one is meant
            pass
        return state.x


class Decodes(Model):
    """Turns latent codes into data.

    Attributes:
        normal_codes: whether a standard normal draw is a code like those of samples; else codes come from data alone.
    """

    latent: tuple[int, ...]
    normal_codes: ClassVar[bool] = True
    method: ClassVar[str] = "decode"
    lacks: ClassVar[str] = "it has no latent to decode"

    @abstractmethod
    def decode(self, z: Tensor, **knobs: Any) -> Tensor:
        """Data (n, *shape) of codes (n, *latent)."""


class Encodes(Model):
    """Turns data into latent codes."""

    latent: tuple[int, ...]
    method: ClassVar[str] = "encode"
    lacks: ClassVar[str] = "it has no encoder: nothing maps a picture to a latent code"

    @abstractmethod
    def encode(self, x: Tensor, **knobs: Any) -> Tensor:
        """Codes (n, *latent) of data (n, *shape)."""


class Reconstructs(Encodes, Decodes):
    """Encodes and decodes: a picture can go in and come out again."""

    method: ClassVar[str] = "reconstruct"
    lacks: ClassVar[str] = "it has no encoder: nothing maps a picture to a latent code and back"

    def reconstruct(self, x: Tensor, **knobs: Any) -> Tensor:
        """``decode(encode(x))``, (n, *shape)."""
        return self.decode(self.encode(x, **knobs), **knobs)


class Density(Model):
    """Says how probable a datum is."""

    method: ClassVar[str] = "log_prob"
    lacks: ClassVar[str] = "it has no density: it cannot say how probable a picture is"

    @abstractmethod
    def log_prob(self, x: Tensor, rng: Rng, **knobs: Any) -> LogProb:
        """Log-probability in nats of each datum of (n, *shape), with its kind.

        ``rng`` (of length n) supplies what the evaluation needs of randomness: dequantisation noise, importance
        samples.
        """


class Surprises(Model):
    """Says at which pixels a picture surprises it: its log-probability is a sum over them."""

    @abstractmethod
    def surprise(self, x: Tensor) -> Tensor:
        """Nats of surprise at each pixel of (n, *shape), summed over channels: (n, height, width).

        Each is -log p(pixel | what comes before it), and a picture's sum is ``-log_prob`` of it, which is exact. An
        autoregressive model has this; no other family should claim it.
        """


class Continues(Model):
    """Follows a pen: draws stroke by stroke, from nothing or from a beginning.

    Its data are drawings, (points, 5): see ``playground.data.strokes``.
    """

    method: ClassVar[str] = "continue_drawing"
    lacks: ClassVar[str] = "it knows pixels, not strokes: there is no pen that could go on"

    @abstractmethod
    def continue_drawing(self, begun: Tensor, rng: Rng, **knobs: Any) -> Tensor:
        """Whole drawings, (len(rng), points, 5), that begin with the points (k, 5), which hold no end; k may be 0."""

    @abstractmethod
    def point_log_prob(self, x: Tensor) -> Tensor:
        """Log-probability in nats of each point given those before it, (n, points), 0 after the end.

        Where there is a code, it is the drawing's own; else a drawing's sum is its ``log_prob``, which is exact.
        """


class RateDistortion(Model):
    """Sends a datum as a code and what the code leaves out: the two terms of a variational bound."""

    @abstractmethod
    def rate_distortion(self, x: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """Rate and distortion in nats, (n,) each, of data (n, *shape), unweighted; their sum bounds -log p(x).

        The rate is KL(q(z|x) || p(z)), or -log p(z) where the code is certain; the distortion -E log p(x|z), with a
        code drawn from ``rng`` (of length n). Pixels are those ``log_prob`` is of. Alemi et al. 2018,
        arXiv:1711.00464, equations 3 and 4.
        """


class Clouds(Model):
    """Codes a datum as a cloud: each number of the code is normal, independently, against a standard normal prior."""

    @abstractmethod
    def cloud(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of q(z|x), (n, *latent) each, of data (n, *shape).

        The log standard deviation is NaN for numbers of the code that are no such variable, such as a class.
        """


class Denoises(Model):
    """Removes noise: the one convention that diffusion, score and flow-matching models share."""

    method: ClassVar[str] = "denoise"
    lacks: ClassVar[str] = "it has not learnt to remove noise"

    @abstractmethod
    def denoise(self, x: Tensor, sigma: Tensor, **knobs: Any) -> Tensor:
        """The expected clean datum, (n, *shape), given it plus normal noise of standard deviation ``sigma``, (n,).

        The score is ``(denoise(x, sigma) - x) / sigma**2`` (Karras et al. 2022, arXiv:2206.00364, equation 3). Here
        data are in the model's own units, in which its noise is added: [-1, 1] for pictures.
        """


class Fields(Model):
    """Has a vector field that carries points to where data are: a velocity, a score, a push downhill."""

    method: ClassVar[str] = "field"
    lacks: ClassVar[str] = "it has no field that moves points: it draws in one go"
    field_name: ClassVar[str]  # what the arrows are, such as "velocity"
    timed: ClassVar[bool] = True  # whether the field changes with t

    @abstractmethod
    def field(self, x: Tensor, t: float) -> Tensor:
        """The arrow, (n, *shape), at each point of (n, *shape), at time ``t``: 0 is noise, 1 is data."""


class Carries(Model):
    """Moves a given start, all the way to a datum, by a path that can be drawn."""

    latent: tuple[int, ...]
    method: ClassVar[str] = "carry"
    lacks: ClassVar[str] = "nothing moves a start point to a datum: it has no latent"

    @abstractmethod
    def carry(self, z: Tensor) -> Tensor:
        """The paths, (states, n, *shape), of starts (n, *latent): the first state is the start, the last the datum."""


class Completes(Model):
    """Fills in what is hidden of a datum, so that it goes with the rest.

    Attributes:
        completing: how it does that and how exactly, a sentence for the caption.
    """

    method: ClassVar[str] = "complete"
    lacks: ClassVar[str] = "nothing makes it keep one part of a picture and draw the rest"
    completing: ClassVar[str]

    @abstractmethod
    def complete(self, x: Tensor, known: Tensor, rng: Rng, **knobs: Any) -> Iterator[State]:
        """Every state on the way to a completion, the last of which is the completion.

        Args:
            x: (len(rng), *shape) data; what is not known of them is not looked at.
            known: (len(rng), *shape) bool; these elements of the last state are exactly those of ``x``.
            rng: draws what is filled in.
            knobs: the family's own.
        """


class Edits(Model):
    """Redraws a datum freely or faithfully: it keeps as much of it as it is told to."""

    method: ClassVar[str] = "edit"
    lacks: ClassVar[str] = "it cannot forget a part of a picture and draw it anew: it starts from nothing"

    @abstractmethod
    def edit(self, x: Tensor, strength: float, rng: Rng, **knobs: Any) -> Iterator[State]:
        """Every state on the way from data (len(rng), *shape) to the model's idea of them.

        Args:
            x: the data.
            strength: 0 gives them back, as nearly as the family can; 1 keeps nothing of them.
            rng: draws what is made up. The same draws at every strength.
            knobs: the family's own.
        """


class Translates(Model):
    """Turns an outline into a picture that has it."""

    method: ClassVar[str] = "translate"
    lacks: ClassVar[str] = "it has not learnt to turn an outline into a picture"

    @abstractmethod
    def translate(self, sketch: Tensor, rng: Rng, **knobs: Any) -> Iterator[State]:
        """Every state on the way from outlines, (len(rng), 1, height, width), ink 1 on paper 0, to pictures of them."""

    @abstractmethod
    def outline(self, x: Tensor) -> Tensor:
        """The clean outlines, (n, 1, height, width), of pictures (n, *shape): what ``translate`` could be given."""

    @abstractmethod
    def outline_by_hand(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """The same as a shaky hand would draw them: what it learns from."""


class Classifies(Model):
    """Tells classes apart, and gives the features in which generated and real data are compared."""

    method: ClassVar[str] = "classify"
    lacks: ClassVar[str] = "it is not a classifier"
    feature_size: int

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """Features (n, feature_size) of data (n, *shape)."""

    @abstractmethod
    def classify(self, x: Tensor) -> Tensor:
        """Class scores (n, len(labels)), before the softmax."""


CAPABILITIES: tuple[type[Model], ...] = (
    Samples,
    Refines,
    Encodes,
    Decodes,
    Reconstructs,
    Density,
    Denoises,
    Fields,
    Carries,
    Completes,
    Edits,
    Translates,
    Continues,
    Classifies,
)


def why_not(family: type[Model], needed: type[Model]) -> str | None:
    """None if ``family`` can do what ``needed`` promises, else the reason, as a clause without a full stop."""
    if issubclass(family, needed):
        return None
    return family.cannot.get(needed.__name__) or str(
        vars(needed).get("lacks", f"it does not {needed.__name__.lower()}")
    )
