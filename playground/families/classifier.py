"""A small convolutional classifier: not a generative model, but the judge in whose features they are compared."""

from __future__ import annotations

from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import Self

from playground.capabilities import Classifies, Learns


@final
class Classifier(Learns, Classifies):
    """Three convolutions and two linear layers; its features are the last hidden layer's.

    Trained on shifted, noisy and partly binarised pictures, so that it judges a digit and not its greys.

    Args:
        shape: one picture, (channels, height, width).
        classes: how many classes.
        width: channels of the first convolution.
        features: size of the feature vector.
    """

    def __init__(
        self, shape: tuple[int, int, int] = (1, 28, 28), classes: int = 10, width: int = 32, features: int = 64
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.labels = tuple(str(i) for i in range(classes))
        self.feature_size = features
        self.trunk = nn.Sequential(
            nn.Conv2d(shape[0], width, 5, stride=2, padding=2), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(32 * width, features), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(features, classes)

    @classmethod
    def tiny(cls) -> Self:
        return cls(width=2, features=8)

    def loss(self, x: Tensor, label: Tensor, generator: torch.Generator, player: str) -> dict[str, Tensor]:
        """Cross-entropy on augmented pictures, and the training accuracy."""
        n, _, height, width = x.shape
        dy, dx = torch.randint(0, 5, (2,), generator=generator, device=x.device).tolist()
        x = F.pad(x, (2, 2, 2, 2))[:, :, dy : dy + height, dx : dx + width]
        draw = torch.rand(x.shape, generator=generator, device=x.device)
        which = torch.rand((n, 1, 1, 1), generator=generator, device=x.device)
        x = torch.where(which < 0.25, (draw < x).float(), x)  # a quarter of them binarised
        x = torch.where(which > 0.75, x + 0.2 * (draw - 0.5), x)  # a quarter of them noisy
        scores = self.classify(x)
        accuracy = (scores.argmax(1) == label).float().mean()
        return {"cross-entropy": F.cross_entropy(scores, label, label_smoothing=0.05), "accuracy": accuracy}

    def features(self, x: Tensor) -> Tensor:
        return self.trunk(x)  # (n, feature_size)

    def classify(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
