"""The autoencoder (Hinton and Salakhutdinov 2006, Science 313, 504-507), the contrast: it cannot draw.

For points, as a learner of the laboratory, and for pictures.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import ClassVar, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import About, Learns, Reconstructs, Sprints
from playground.families.layers import Mlp, residual_mlp

ORDER = 28  # among the families on a page


@final
class Autoencoder(Sprints, Reconstructs):
    """An encoder and a decoder, trained only to give each datum back.

    Args:
        shape: one datum, of any shape.
        latent: the size of the code: 1 leaves a curve of the plane, 2 all of it.
        width: units of each hidden layer, in the encoder and in the decoder.
        depth: hidden layers of each.

    Reference:
        Hinton and Salakhutdinov 2006, Reducing the Dimensionality of Data with Neural Networks, Science 313, 504-507.

    Example:
        >>> Autoencoder().reconstruct(torch.zeros(1, 2)).shape
        torch.Size([1, 2])
    """

    normal_codes = False
    cannot = {
        "Samples": "an autoencoder cannot draw new data: nothing says which codes belong to data",
        "Refines": "an autoencoder cannot draw new data: nothing says which codes belong to data",
        "Density": "an autoencoder has no density: giving a datum back well does not make it probable",
        "Carries": "an autoencoder has no noise to start from: its codes follow no known distribution",
    }
    about = About(
        title="Autoencoder",
        line="Squeezes data through a bottleneck and gives them back, which is not modelling them.",
        intuition="An encoder writes each datum down in fewer numbers, and a decoder must give the datum back from"
        " those. With one number for a point of the plane, the best it can do is a curve that winds through the data.",
        pros="Fast and simple. The codes keep what matters most for giving the data back.",
        cons="It cannot draw: where codes lie is left to chance, and between them the decoder was never trained. It"
        " gives back much that is no datum, so a small error says nothing about probability.",
        training="Minimise the squared distance of each datum from what comes back.",
        latent="Yes: a short code, but with no distribution, so a random code means nothing.",
        sampling="It has none. A variational autoencoder is what makes an autoencoder draw.",
        density="It has none.",
        paper="Hinton and Salakhutdinov 2006, Reducing the Dimensionality of Data with Neural Networks",
    )
    rate: ClassVar[float] = 3e-3

    def __init__(self, shape: tuple[int, ...] = (2,), latent: int = 1, width: int = 64, depth: int = 2) -> None:
        super().__init__()
        self.shape, self.latent = tuple(shape), (latent,)
        size = math.prod(shape)
        self.encoder = Mlp(size, width, latent, depth)
        self.decoder = Mlp(latent, width, size, depth)

    @classmethod
    def tiny(cls) -> Self:
        return cls(width=8, depth=1)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The mean squared error per number; nothing is drawn from ``generator``."""
        x = x.flatten(1)
        return {"squared error": F.mse_loss(self.decoder(self.encoder(x)), x)}

    @torch.no_grad()
    def gradient(self, x: Tensor, generator: torch.Generator, player: str) -> Tensor:
        x = x.flatten(1)
        z, encoding = self.encoder.ahead(x)
        y, decoding = self.decoder.ahead(z)
        error = y - x
        g = self.decoder.back(decoding, error * (2 / error.numel()), inputs=True)
        assert g is not None  # asked for
        self.encoder.back(encoding, g)
        return error.square().mean()

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """Codes (n, latent) of data (n, *shape)."""
        return self.encoder.ahead(x.flatten(1))[0]

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """Data (n, *shape) of codes (n, latent)."""
        return self.decoder.ahead(z)[0].unflatten(1, self.shape)


@final
class ImageAutoencoder(Learns, Reconstructs):
    """An encoder and a decoder of pictures, trained only to give each picture back.

    Codes are shifted and scaled to mean zero and variance one over the training data, number by number (a batch
    normalisation without parameters): so a map of ordinary size shows them all. That makes them no known distribution.

    Args:
        shape: one picture, (channels, height, width).
        latent: the size of the code.
        width: hidden units per layer.
        depth: residual blocks in the encoder and in the decoder.

    Reference:
        Hinton and Salakhutdinov 2006, Reducing the Dimensionality of Data with Neural Networks, Science 313, 504-507.

    Example:
        >>> ImageAutoencoder(latent=2).eval().decode(torch.zeros(1, 2)).shape
        torch.Size([1, 1, 28, 28])
    """

    normal_codes = False
    cannot = Autoencoder.cannot | {"Carries": "an autoencoder has no noise to start from"}
    about = replace(
        Autoencoder.about,
        title="Image autoencoder",
        line="Squeezes pictures through a bottleneck and redraws them, which is not modelling them.",
        intuition="An encoder writes each picture down in a few numbers, and a decoder must redraw the picture from"
        " those. Nothing else is asked of the codes: they lie wherever redrawing is easiest.",
        pros="Fast and simple, and with the same code size it redraws more sharply than a variational autoencoder. The"
        " codes keep what matters most for redrawing.",
        cons="It cannot draw: where codes lie is left to chance, and between them the decoder was never trained. Walk"
        " on its map and see the holes. A small error says nothing of probability: it also redraws what is no digit.",
        training="Minimise the squared difference of each picture from what comes back, pixel by pixel.",
    )

    def __init__(self, shape: tuple[int, ...] = (1, 28, 28), latent: int = 2, width: int = 512, depth: int = 2) -> None:
        super().__init__()
        self.shape, self.latent = tuple(shape), (latent,)
        pixels = math.prod(shape)
        self.encoder = residual_mlp(pixels, width, latent, depth)
        self.scale = nn.BatchNorm1d(latent, affine=False)
        self.decoder = residual_mlp(latent, width, pixels, depth)

    @classmethod
    def tiny(cls) -> Self:
        return cls(shape=(1, 4, 4), latent=2, width=16, depth=1)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """The squared error summed over pixels; nothing is drawn from ``generator``."""
        return {"squared error": (self.reconstruct(x) - x).square().flatten(1).sum(1).mean()}

    def encode(self, x: Tensor) -> Tensor:
        """Codes (n, latent) of pictures (n, *shape)."""
        return self.scale(self.encoder(2 * x.flatten(1) - 1))

    def decode(self, z: Tensor) -> Tensor:
        """Pictures (n, *shape) of codes (n, latent)."""
        return self.decoder(z).sigmoid().unflatten(1, self.shape)
