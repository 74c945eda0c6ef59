"""Ready-made stories of the laboratory: one press sets everything up, starts it, and says where to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Act:
    """What happens at one moment of a story.

    Args:
        at: the race's progress, 0 to 1, at which it happens; 1 is when all have spent their budget.
        say: the sentence shown from then on; ``{gan.modes}`` stands for that learner's number at the moment.
        set: changes to the page's state, such as other learners.
        inspect: what the large panel shows: ``field``, ``latent_grid``, ``path``, ``samples`` (each true or false),
            ``ground`` and the time ``t``.
        sweep: times that the large panel passes through in ``seconds``.
        seconds: how long the sweep takes.
        do: a command to the race, or ``{"do": "start"}`` for a new race.
    """

    at: float
    say: str = ""
    set: Mapping[str, Any] = field(default_factory=dict)
    inspect: Mapping[str, Any] = field(default_factory=dict)
    sweep: tuple[float, ...] = ()
    seconds: float = 0.0
    do: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values for the page."""
        return {**vars(self), "set": dict(self.set), "inspect": dict(self.inspect), "sweep": list(self.sweep)}


@dataclass(frozen=True)
class Story:
    """A race with something to see in it.

    Args:
        name: in the address.
        title: on its button.
        look: one sentence that says what to look at.
        set: the page's state to begin with: target, learners, budget, settings, view, selected.
        inspect: what the large panel shows to begin with, as for an act.
        acts: what happens on the way, by rising ``at`` within each race that the story starts.
        cost: learners whose quality is drawn against the number of evaluations at the end.
    """

    name: str
    title: str
    look: str
    set: Mapping[str, Any]
    acts: tuple[Act, ...] = ()
    inspect: Mapping[str, Any] = field(default_factory=dict)
    cost: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values for the page."""
        acts = [act.to_json() for act in self.acts]
        return {
            **vars(self),
            "set": dict(self.set),
            "inspect": dict(self.inspect),
            "acts": acts,
            "cost": list(self.cost),
        }


def _race(target: str, *learners: str, seconds: float = 0, steps: int = 0, **further: Any) -> dict[str, Any]:
    """A page's state; with ``steps`` the same happens on every machine."""
    plain = {"settings": {}, "data": 10_000, "seed": 17, "rate": 1.0, "view": "density", "selected": None}
    budget = {"kind": "steps", "amount": steps} if steps else {"kind": "seconds", "amount": seconds}
    return {**plain, "target": {"name": target}, "learners": list(learners), "budget": budget, **further}


# Provoked: on seeds 17 and 1 to 5 the GAN ends with 0 to 3 clusters. Side by side at the usual rate, on the same seeds:
# the GAN 1 to 8 clusters with 63 to 94 % of its points in none, the Wasserstein GAN always 8, with 9 to 11 %.
# At ten times the rate the Wasserstein GAN fails on some seeds too, so that is not what is compared.
COLLAPSE = Story(
    "collapse",
    "A GAN forgets, and is cured",
    "Count the clusters that the GAN's points reach; then see it beside a Wasserstein GAN at the usual rate.",
    _race("ring", "gan", steps=300, rate=10.0, settings={"gan": {"width": 128}}, selected="gan"),
    (
        Act(0.02, "Provoked by ten times its learning rate: nothing asks a generator to visit every cluster."),
        Act(0.5, "The GAN reaches {gan.modes} clusters, with {gan.lost} of its points in none."),
        Act(
            1.0,
            "Provoked, it ended with {gan.modes}. Now at the usual rate, beside a Wasserstein GAN with as many steps.",
            set={
                "learners": ["gan", "wgan"],
                "rate": 1.0,
                "settings": {},
                "budget": {"kind": "steps", "amount": 600},
                "selected": "wgan",
            },
            do={"do": "start"},
        ),
        Act(0.3, "GAN {gan.modes}, Wasserstein GAN {wgan.modes}: its critic still pulls where there are no points."),
        Act(
            1.0, "In no cluster: {gan.lost} of the GAN's points, {wgan.lost} of the other's, which takes longer a step."
        ),
    ),
)

BLUR = Story(
    "blur",
    "Why VAEs blur",
    "The VAE's points fill the gap between the arms, where there are no data; the spline flow's do not.",
    _race("spiral", "vae", "spline", seconds=4, selected="vae"),
    (
        Act(0.1, "Its decoder answers every code with a Gaussian of one width: all it makes has fuzzy edges."),
        Act(
            0.5,
            "Codes of neighbouring data overlap, so the decoder is asked for their average.",
            inspect={"latent_grid": True},
        ),
        Act(1.0, "KL at most {vae.kl} for the VAE, by its bound; {spline.kl} for the flow."),
    ),
)

FILAMENT = Story(
    "filament",
    "The thread a flow leaves",
    "Look between the clusters: the coupling flow leaves threads of probability, orange in the difference.",
    _race("ring", "realnvp", "mixture", seconds=4, view="difference", selected="realnvp"),
    (
        Act(0.1, "A flow bends one Gaussian without tearing it: a single cloud cannot become eight separate ones."),
        Act(0.5, "Orange is where a model puts too much, blue too little."),
        Act(
            1.0,
            "A smooth map cannot tear, so threads remain: KL {realnvp.kl}, of the mixture {mixture.kl}.",
        ),
    ),
)

SCORE = Story(
    "score",
    "A score at high and low noise",
    "The arrows point to where data are likely: under much noise to the middle, under little to the nearest arm.",
    _race("moons", "score", seconds=4, selected="score"),
    (
        Act(
            0.2,
            "Much noise: the data are one blob, and all arrows point to its middle.",
            inspect={"field": True, "t": 0.1},
        ),
        Act(
            1.0,
            "Now the noise is taken away.",
            inspect={"field": True},
            sweep=tuple(i / 40 for i in range(41)),
            seconds=8,
        ),
    ),
)

STEPS = Story(
    "steps",
    "One step against many",
    "The same noise, more and more evaluations of the network: see which curve reaches the floor first.",
    _race("checkerboard", "flow_matching", "ddpm", seconds=5, selected="flow_matching"),
    (
        Act(0.1, "Both learn to take noise away. How many evaluations of the network does a sample need then?"),
        Act(
            1.0,
            "Heun and RK4 need few evaluations; one is enough for the rectified flow, taught again on its own pairs of"
            " noise and end, whose lines do not cross.",
        ),
    ),
    cost=("flow_matching", "ddpm"),
)

GAUSSIAN = Story(
    "gaussian",
    "One Gaussian is not enough",
    "Principal components give one Gaussian, which covers the hole too; a mixture has the form of the truth.",
    _race("ring", "ppca", "mixture", "autoregressive", seconds=3, selected="ppca"),
    (
        Act(0.1, "The Gaussian is done at once: it has no more to learn."),
        Act(
            1.0, "KL {ppca.kl} for one Gaussian, {mixture.kl} for the mixture, {autoregressive.kl} for autoregression."
        ),
    ),
)

STORIES = (COLLAPSE, BLUR, FILAMENT, SCORE, STEPS, GAUSSIAN)


def stories() -> dict[str, Story]:
    """All, by name, in the order in which they are offered."""
    return {story.name: story for story in STORIES}
