"""Training in slices of any length: the same seed gives the same weights at the same step, however it is cut."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from playground.capabilities import Fits, Learns, Model, Sprints
from playground.rng import stream

EMA = 0.999  # the most that the shown weights remember from one step to the next
WARM = 50  # steps over which the learning rate rises at the start, and after a restored state has lost its moments
SMOOTH = 0.05  # of a new loss in the loss that is shown: single batches are noise
SETTLED = 5  # iterations of a fit that change nothing before it is said to be at its end


@dataclass(frozen=True)
class Kept:
    """A trainer's state, to go back to: the weights, the shown average of them, the buffers; no moments."""

    step: int
    seconds: float
    weights: Tensor  # (parameters,) float32
    average: Tensor  # (parameters,) float32
    buffers: tuple[Tensor, ...]
    losses: dict[str, float]


class Player:
    """One player of a game, or the only one: its parameters and Adam's moments (Kingma and Ba 2015, arXiv:1412.6980).

    ``torch._fused_adam_`` is what ``torch.optim.Adam(fused=True)`` calls; called directly a step takes 10 microseconds
    in place of 105, which small networks notice.
    """

    def __init__(self, parameters: list[nn.Parameter], rate: float, betas: tuple[float, float]) -> None:
        self.parameters: list[Tensor] = [*parameters]
        self.rate, self.betas = rate, betas
        self.first = [torch.zeros_like(p) for p in parameters]
        self.second = [torch.zeros_like(p) for p in parameters]
        self.count = torch.zeros(())  # of steps; one tensor for all parameters

    @torch.no_grad()
    def step(self, scale: float) -> None:
        """Move along the gradients in ``.grad``, with ``scale`` times the usual rate."""
        self.count += 1
        pairs = [(i, p.grad) for i, p in enumerate(self.parameters) if p.grad is not None]
        grads = [grad for _, grad in pairs]
        if len(pairs) == len(self.parameters):
            own, first, second = self.parameters, self.first, self.second
        else:  # a part that the loss does not touch
            own, first, second = ([part[i] for i, _ in pairs] for part in (self.parameters, self.first, self.second))
        torch._fused_adam_(
            own, grads, first, second, [], [self.count] * len(own),
            lr=self.rate * scale, beta1=self.betas[0], beta2=self.betas[1], weight_decay=0.0, eps=1e-8,
            amsgrad=False, maximize=False,
        )  # fmt: skip

    def forget(self) -> None:
        """Begin again without moments."""
        for moment in (*self.first, *self.second, self.count):
            moment.zero_()


class Trainer:
    """Trains one model on one set of points, a slice at a time, and keeps the average of its weights.

    Args:
        model: untrained, on the CPU; written to.
        data: (n, *shape) float32.
        seed: step k draws its batch and its noise from a generator seeded with both ``seed`` and k.
        rate_factor: times the family's own learning rate.
        batch: data per step; a model that ``Fits`` sees all data at every iteration.

    Attributes:
        steps: steps taken, counting one for all players' turns, or iterations.
        seconds: CPU seconds of this thread spent in them.
        loss: the smoothed loss of each player.
        trouble: "" while all is well, else why it cannot go on, in a sentence.
        settled: whether further iterations change nothing.
    """

    def __init__(self, model: Model, data: Tensor, seed: int, rate_factor: float = 1.0, batch: int = 256) -> None:
        self.model, self.data, self.seed, self.batch = model, data, seed, batch
        self.rate_factor = rate_factor
        self.steps, self.seconds, self.trouble, self.settled = 0, 0.0, "", False
        self._still, self._warm_from = 0, 0
        self._losses: dict[str, Tensor] = {}
        self._generator = torch.Generator()
        self._label = torch.zeros(batch, dtype=torch.long)
        self._fit: Iterator[dict[str, float]] | None = None
        self._average = copy.deepcopy(model).eval() if isinstance(model, Learns) else model
        self._own: list[Tensor] = list(model.parameters())
        self._averaged: list[Tensor] = list(self._average.parameters())
        self._players: dict[str, tuple[Player, int]] = {}
        if isinstance(model, Learns):
            family = type(model)
            rates, betas = getattr(family, "rate", 1e-3), getattr(family, "betas", (0.9, 0.99))
            turns = getattr(family, "turns", {})
            for name, parameters in model.players().items():
                rate = rates[name] if isinstance(rates, dict) else rates
                self._players[name] = (Player(parameters, rate, betas), turns.get(name, 1))

    @property
    def loss(self) -> dict[str, float]:
        """The smoothed loss of each player, in the loss's own units."""
        return {name: round(float(value), 5) for name, value in self._losses.items()}

    @property
    def micros(self) -> float:
        """Microseconds per step so far."""
        return round(1e6 * self.seconds / max(1, self.steps), 1)

    def advance(self, seconds: float, most: int | None = None) -> None:
        """Train for about so many CPU seconds of this thread, or ``most`` steps; no step begins after that."""
        start = now = time.thread_time()
        left = most
        while now - start < seconds and left != 0 and not (self.trouble or self.settled):
            self._step()
            left = left and left - 1
            now = time.thread_time()
        self._counted(now - start)

    def advance_steps(self, k: int) -> None:
        """Take ``k`` steps."""
        start = time.thread_time()
        for _ in range(k):
            self._step()
        self._counted(time.thread_time() - start)

    def turn(self, player: str) -> Tensor:
        """One player alone takes one gradient step on a batch of its own; its loss, 0-d."""
        mover, _ = self._players[player]
        x = self.data.index_select(0, torch.randint(len(self.data), (self.batch,), generator=self._generator))
        loss = self._gradient(x, player)
        mover.step(self.rate_factor * min(1.0, (self.steps - self._warm_from + 1) / WARM))
        return loss

    def shown(self) -> Model:
        """The model with the average weights: what is drawn, measured and exported. Not to be written to."""
        if self._average is not self.model:
            for mean, buffer in zip(self._average.buffers(), self.model.buffers(), strict=True):
                mean.copy_(buffer)
        return self._average

    def past(self, kept: Kept) -> Model:
        """The model as it was shown then: a copy, for whoever looks back."""
        model = copy.deepcopy(self._average)
        _fill(list(model.parameters()), kept.average)
        for buffer, old in zip(model.buffers(), kept.buffers, strict=True):
            buffer.copy_(old)
        return model

    def state(self) -> Kept:
        """What ``restore`` needs; 8 bytes per parameter."""
        weights, average = self._flat(self._own), self._flat(self._averaged)
        buffers = tuple(buffer.clone() for buffer in self.model.buffers())
        return Kept(self.steps, self.seconds, weights, average, buffers, self.loss)

    @torch.no_grad()
    def restore(self, kept: Kept) -> None:
        """Go back. Adam's moments are not kept, they would double the memory: they begin again, and the rate is raised
        slowly as at the start, so what follows differs a little from what followed the first time.
        """
        _fill(self._own, kept.weights)
        _fill(self._averaged, kept.average)
        for buffer, old in zip(self.model.buffers(), kept.buffers, strict=True):
            buffer.copy_(old)
        for player, _ in self._players.values():
            player.forget()
        self.steps, self.seconds, self.trouble, self.settled = kept.step, kept.seconds, "", False
        self._still, self._warm_from = 0, kept.step
        self._losses = {name: torch.tensor(value) for name, value in kept.losses.items()}
        self._fit = None  # called anew it goes on from the present weights

    def _flat(self, parameters: list[Tensor]) -> Tensor:
        return torch.cat([p.detach().reshape(-1) for p in parameters]) if parameters else torch.empty(0)

    def _step(self) -> None:
        self._generator.manual_seed(stream(self.seed, self.steps))
        if isinstance(self.model, Fits):
            self._iterate(self.model)
        else:
            for name, (_, turns) in self._players.items():
                for _ in range(turns):
                    self._note(name, self.turn(name))
            self._follow()
        self.steps += 1

    def _gradient(self, x: Tensor, player: str) -> Tensor:
        model = self.model
        if isinstance(model, Sprints):
            return model.gradient(x, self._generator, player)
        assert isinstance(model, Learns)
        for p in self._own:
            p.grad = None
        loss = next(iter(model.loss(x, self._label, self._generator, player).values()))
        loss.backward()
        return loss.detach()

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average, which forgets quicker while there is little worth remembering."""
        keep = min(EMA, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self._averaged, self._own, 1 - keep)

    def _iterate(self, model: Fits) -> None:
        if self._fit is None:
            self._fit = model.fit(self.data, torch.zeros(len(self.data), dtype=torch.long), self._generator)
        logged = next(self._fit)
        before = self._losses.get("model", torch.tensor(float("inf")))
        self._losses["model"] = now = torch.tensor(float(next(iter(logged.values()))))
        self._still = self._still + 1 if torch.isclose(now, before, rtol=0, atol=1e-7) else 0
        self.settled = self._still >= SETTLED

    def _note(self, player: str, loss: Tensor) -> None:
        if player in self._losses:
            self._losses[player].lerp_(loss, SMOOTH)
        else:
            self._losses[player] = loss.clone()

    def _counted(self, seconds: float) -> None:
        self.seconds += seconds
        if not all(bool(torch.isfinite(loss)) for loss in self._losses.values()):
            self.trouble = "Its numbers are no longer finite: lower the learning rate, or rewind."


@torch.no_grad()
def _fill(parameters: Sequence[Tensor], flat: Tensor) -> None:
    at = 0
    for p in parameters:
        p.copy_(flat[at : at + p.numel()].view_as(p))
        at += p.numel()


def build(family: type[Model], settings: dict[str, Any], seed: int) -> Model:
    """An untrained model whose first weights depend on ``seed`` alone."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return family(**settings)
