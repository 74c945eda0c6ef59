"""Recipe, and the one training loop: EMA, clipping, resume, log, sample sheet, time limit.

    python -m playground.train mnist-vae                 train one model, or go on where it was killed
    python -m playground.train mnist-vae --minutes 10    stop after ten minutes; the same command goes on later
    python -m playground.train --queue --minutes 28      the recipes marked for a GPU, best value first

Step ``k`` of seed ``s`` draws its batch and its noise from a generator seeded with both, so nothing of a random state
has to be kept: a run that was killed and resumed ends in the same weights as one that was not.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from tqdm import tqdm

from playground import catalog
from playground.capabilities import Distils, Fits, Learns, Samples, Translates
from playground.catalog import Card, Unusable, write_whole
from playground.data import DataMissing, datasets
from playground.outcome import commit, device_name, log_csv, sample_sheet, translation_sheet
from playground.recipes import Recipe, recipes
from playground.rng import stream


class Run:
    """One training run in its folder: everything that a resumed run needs, in files without pickles.

    Raises:
        Unusable: there is a checkpoint in the folder that cannot be read, or that another recipe has written.
    """

    def __init__(self, recipe: Recipe, device: str, folder: Path) -> None:
        self.recipe, self.device, self.folder = recipe, device, folder
        folder.mkdir(parents=True, exist_ok=True)
        with torch.random.fork_rng():  # the initial weights; everything later has a generator of its own
            torch.manual_seed(recipe.seed)
            self.model = recipe.model().to(device)
        if recipe.begins:  # buffers hold what was learnt by looking at the data, which are others now
            weights = dict(catalog.load(recipe.begins).named_parameters())
            self.model.load_state_dict(weights, strict=False)
        if recipe.teacher:
            assert isinstance(self.model, Distils)
            self.model.learn_from(catalog.load(recipe.teacher).to(device))
        self.data = datasets()[recipe.data]
        self.average = copy.deepcopy(self.model).requires_grad_(False).eval()  # drawing a sheet must not change it
        self.step, self.seconds, self.last_sheet = 0, 0.0, 0.0
        self.rows: list[dict[str, float]] = []
        self.optimisers = {p: self._adam(p, ps) for p, ps in self._players().items()}
        checkpoint = folder / "checkpoint.safetensors"
        if checkpoint.exists():
            try:
                self._resume(checkpoint)
            except (SafetensorError, RuntimeError, LookupError, TypeError, ValueError) as error:
                reason = " ".join(str(error).split())[:200]
                raise Unusable(
                    f"{checkpoint} cannot be gone on from ({reason}); delete it, or begin anew with --fresh."
                ) from None

    def _players(self) -> dict[str, list[torch.nn.Parameter]]:
        return self.model.players() if isinstance(self.model, Learns) else {}

    def _lr(self, player: str) -> float:
        return self.recipe.lr[player] if isinstance(self.recipe.lr, dict) else self.recipe.lr

    def _adam(self, player: str, parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        r = self.recipe
        return torch.optim.AdamW(parameters, self._lr(player), r.betas, weight_decay=r.weight_decay, fused=True)

    def generator(self, step: int) -> torch.Generator:
        """The randomness of one step."""
        return torch.Generator(self.device).manual_seed(stream(self.recipe.seed, step))

    def steps(self, x: Tensor, y: Tensor) -> Iterator[dict[str, float]]:
        """One step after the other on the data (x, y), by gradients or as the model fits itself; the numbers to log."""
        if isinstance(self.model, Fits):
            for logged in self.model.fit(x.float() / self.data.top, y, self.generator(self.step)):
                self.step += 1
                self.average.load_state_dict(self.model.state_dict())
                yield logged
            return
        while True:
            yield self.advance(x, y)

    def advance(self, x: Tensor, y: Tensor) -> dict[str, float]:
        """One step of every player on a batch drawn from (x, y); the numbers to log."""
        assert isinstance(self.model, Learns)
        r, generator = self.recipe, self.generator(self.step)
        scale = schedule(self.step, r.steps, r.warmup)
        logged: dict[str, float] = {}
        for player, optimiser in self.optimisers.items():
            index = torch.randint(len(x), (r.batch,), generator=generator, device=self.device)
            if r.labelled is not None:
                told, half = (y >= 0).nonzero().flatten(), r.batch // 2
                index[:half] = told[torch.randint(len(told), (half,), generator=generator, device=self.device)]
            losses = self.model.loss(x[index].float() / self.data.top, y[index], generator, player)
            optimiser.zero_grad(set_to_none=True)
            next(iter(losses.values())).backward()
            for group in optimiser.param_groups:
                group["lr"] = self._lr(player) * scale
                norm = torch.nn.utils.clip_grad_norm_(group["params"], r.clip)
            if not math.isfinite(float(norm)):
                raise FloatingPointError(
                    f"{r.name}: the gradient is not finite at step {self.step}; lower the recipe's learning rate."
                )
            optimiser.step()
            logged |= {k: float(v.detach()) for k, v in losses.items()}
        self.step += 1
        self._average()
        return logged

    @torch.no_grad()
    def _average(self) -> None:
        """Exponential moving average with a warm-up, so that early weights do not linger."""
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step)) if self.recipe.ema else 0.0
        present = self.model.state_dict()
        for name, kept in self.average.state_dict().items():
            kept.lerp_(present[name], 1 - decay) if kept.is_floating_point() else kept.copy_(present[name])

    def save(self) -> None:
        """Write the checkpoint whole: weights, average, optimisers' moments, and the log so far."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for player, optimiser in self.optimisers.items():
            for index, moments in optimiser.state_dict()["state"].items():
                tensors |= {f"adam.{player}.{index}.{k}": v for k, v in moments.items()}
        note = {"step": self.step, "seconds": self.seconds, "rows": self.rows}
        plain = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
        data = safetensors.torch.save(plain, metadata={"note": json.dumps(note)})
        write_whole(self.folder / "checkpoint.safetensors", data)

    def _resume(self, checkpoint: Path) -> None:
        with safe_open(str(checkpoint), "pt", device=self.device) as file:
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 - not a dict
            note = json.loads(file.metadata()["note"])
        self.step, self.seconds, self.rows = note["step"], note["seconds"], note["rows"]
        self.model.load_state_dict(_below(tensors, "model."))
        self.average.load_state_dict(_below(tensors, "average."))
        for player, parameters in self._players().items():
            optimiser = self.optimisers[player]
            state: dict[int, dict[str, Tensor]] = {}
            for key, value in _below(tensors, f"adam.{player}.").items():
                index, name = key.split(".", 1)
                if name != "step":  # fused Adam walks through memory: the moments must lie there as the weights do
                    value = torch.empty_like(parameters[int(index)]).copy_(value)
                state.setdefault(int(index), {})[name] = value
            optimiser.load_state_dict({**optimiser.state_dict(), "state": state})

    def sheet(self) -> None:
        """Draw the sample sheet: 8 x 8 pictures of the averaged weights, of test pictures' outlines if it needs any."""
        if isinstance(self.average, Samples):
            write_whole(self.folder / "samples.png", sample_sheet(self.average))
        elif isinstance(self.average, Translates):
            levels, labels, _ = self.data.examples()
            first = [int(np.flatnonzero(labels == c)[0]) for c in np.unique(labels)[:8]]
            x = torch.as_tensor(levels[np.resize(first, 8)], device=self.device).float() / 255
            write_whole(self.folder / "samples.png", translation_sheet(self.average, x))

    def publish(self) -> Path:
        """Put the averaged weights on the shelf with their card, log and sample sheet; metrics come later."""
        r, stored = self.recipe, self.average
        trained = {"device": device_name(self.device), "seconds": round(self.seconds), "steps": self.step}
        if r.labelled is not None:
            trained["labelled"] = r.labelled
        if r.begins:
            trained["begins"] = r.begins
        card = Card(
            name=r.name,
            family=type(stored).__module__.rsplit(".", 1)[1],
            model=type(stored).__name__,
            init=r.init,
            data=r.data,
            labels=self.data.labels if stored.labels else (),
            recipe=r.name.replace("-", "_"),
            seed=r.seed,
            commit=commit(),
            parameters=sum(p.numel() for p in stored.weights().state_dict().values()),
            trained=trained,
            published=r.published,
            licence=f"{r.licence}; trained on {self.data.title} ({self.data.licence})",
        )
        old = catalog.cards().get(r.name)
        folder = catalog.save(stored, card, r.half)
        new = catalog.read_card(folder)
        if old and old.sha256 == new.sha256:  # trained before: what was measured still holds
            catalog.save_card(replace(new, metrics=old.metrics, commit=old.commit))
        write_whole(folder / "log.csv", log_csv(self.rows))
        if (self.folder / "samples.png").exists():
            shutil.copy(self.folder / "samples.png", folder / "samples.png")
        return folder


def train(
    recipe: Recipe,
    device: str = "cpu",
    minutes: float = math.inf,
    folder: Path | None = None,
    save_every: float = 30.0,
    quiet: bool = False,
) -> bool:
    """Train until the recipe's last step or the time limit, resuming from ``folder`` if it holds a checkpoint.

    Args:
        recipe: what to train.
        device: a torch device.
        minutes: wall-clock limit of this call.
        folder: where the checkpoint lives, ``runs/<name>`` by default.
        save_every: seconds between two checkpoints.
        quiet: no progress bar.

    Returns:
        True if the recipe is finished and on the shelf; False if time ran out or the run was told to stop.
    """
    run = Run(recipe, device, folder or Path("runs") / recipe.name)
    images, labels = run.data.load("train")
    if recipe.labelled is not None:
        labels = hide(labels, recipe.labelled, recipe.seed)
    x, y = torch.as_tensor(images, device=device), torch.as_tensor(labels, device=device)
    begun = saved = time.monotonic()
    before = run.seconds
    steps = run.steps(x, y)
    progress = tqdm(total=recipe.steps, initial=run.step, desc=recipe.name, disable=quiet, unit="step")
    with progress as bar, _listening() as told:
        while run.step < recipe.steps:
            logged = next(steps)
            now = time.monotonic()
            run.seconds = before + now - begun
            bar.update()
            if run.step % max(1, recipe.steps // 500) == 0:
                run.rows.append({"step": run.step, "seconds": round(run.seconds, 1), **logged})
                bar.set_postfix({k: f"{v:.4g}" for k, v in logged.items()})
            stop = bool(told) or now - begun > minutes * 60
            if stop or now - saved > save_every:
                run.save()
                saved = now
            if stop and run.step < recipe.steps:
                return False
            if now - run.last_sheet > 600:
                run.sheet()
                run.last_sheet = now
    run.save()
    run.sheet()
    run.publish()
    return True


def hide(labels: np.ndarray, labelled: int, seed: int) -> np.ndarray:
    """Labels (n,) with all but ``labelled`` of them, drawn evenly from the classes, replaced by -1.

    Raises:
        ValueError: there are not so many of each class, or it is no multiple of the number of classes.
    """
    classes = np.unique(labels)
    each, over = divmod(labelled, len(classes))
    if over or not 0 < each <= np.bincount(labels).min():
        raise ValueError(f"{labelled} labels cannot be drawn evenly from {len(classes)} classes.")
    generator = np.random.default_rng(seed)
    told = np.concatenate([generator.choice(np.flatnonzero(labels == c), each, replace=False) for c in classes])
    hidden = np.full_like(labels, -1)
    hidden[told] = labels[told]
    return hidden


def schedule(step: int, steps: int, warmup: int) -> float:
    """The learning rate's factor: linear warm-up, then half a cosine to zero."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}


@contextmanager
def _listening() -> Iterator[list[int]]:
    """Collect polite requests to end, so that the loop can save and leave."""
    told: list[int] = []

    def hear(number: int, frame: object) -> None:
        told.append(number)

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m playground.train", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="recipes to train, in this order: " + ", ".join(recipes()))
    parser.add_argument("--queue", action="store_true", help="train the recipes marked for a GPU, best value first")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--minutes", type=float, default=math.inf, help="wall-clock limit for all of them")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where checkpoints are kept")
    parser.add_argument("--fresh", action="store_true", help="begin anew instead of resuming")
    options = parser.parse_args()
    names = list(options.names)
    if options.queue:
        marked = [r for r in recipes().values() if r.device == "cuda"]
        names += [r.name for r in sorted(marked, key=lambda r: -r.value)]
    unknown = [name for name in names if name not in recipes()]
    if unknown or not names:
        parser.error(f"name one of {', '.join(recipes())}" + (f", not {', '.join(unknown)}" if unknown else ""))
    end = time.monotonic() + options.minutes * 60
    for name in names:
        folder = options.runs / name
        if options.fresh:
            shutil.rmtree(folder, ignore_errors=True)
        left = (end - time.monotonic()) / 60
        try:
            finished = left > 0 and train(recipes()[name], options.device, left, folder)
        except (Unusable, DataMissing, FloatingPointError) as error:
            sys.exit(str(error))
        if not finished:
            print(f"{name}: not finished; the same command goes on with it.")
            break


if __name__ == "__main__":
    main()
