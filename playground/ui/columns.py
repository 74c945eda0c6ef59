"""The columns of the Scores page: which metric of a card each shows, in which unit, and which end is better.

Play writes a model's numbers under the same names. A metric that evaluation learns to measure is shown by adding a line
here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Form = Literal["number", "share", "seconds", "count", "text"]
GROUPS = {
    "overview": "Overview",
    "likelihood": "Likelihood",
    "samples": "Samples",
    "representation": "Representation",
    "cost": "Cost",
    "literature": "Literature",
    "all": "All",
}
SPACE = "in the features of our own classifier of that data set"
GREYS = (("_shown", "of the greys shown"), ("_shown_floor", "their floor"))  # where the model is one of binary pixels
BASELINES = (("_pixels", "raw pixels"), ("_pca", "PCA"), ("_random", "random encoder"))


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        name: its name in links and files.
        title: its heading.
        group: the group it belongs to, a key of ``GROUPS``.
        help: what the number is, a sentence without its full stop.
        unit: of the number, or "".
        better: lower, higher, or "" where neither is.
        keys: the metrics of a card that hold it; the first that is there is shown, the others are told beside.
        beside: endings of further keys and what those are, such as its floor.
        form: how the number is written.
        across: whether models of different data sets or pixels may be compared by it.
        overview: whether it is among the few that are shown first.
    """

    name: str
    title: str
    group: str
    help: str
    unit: str = ""
    better: Literal["lower", "higher", ""] = ""
    keys: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()
    form: Form = "number"
    across: bool = False
    overview: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values for the page."""
        return asdict(self)


def _distance(name: str, title: str, help: str, overview: bool = False) -> Column:
    beside = (("_floor", "floor"), *GREYS)
    return Column(name, title, "samples", help, better="lower", keys=(name,), beside=beside, overview=overview)


def _overlap(name: str, title: str, help: str, form: Form = "share", overview: bool = False) -> Column:
    beside = (("_floor", "training pictures"), *GREYS)
    return Column(
        name, title, "samples", help, better="higher", keys=(name,), beside=beside, form=form, overview=overview
    )


def _outlines(name: str, title: str, help: str, better: Literal["lower", "higher"]) -> Column:
    beside = (("_by_hand", "shaky outlines"), ("_nearest", "nearest training picture"), ("_floor", "floor"))
    return Column(f"outline_{name}", title, "samples", help, better=better, keys=(f"outline_{name}",), beside=beside)


def _accuracy(name: str, title: str, help: str, overview: bool = False) -> Column:
    return Column(
        name,
        title,
        "representation",
        help,
        better="higher",
        keys=(name,),
        beside=BASELINES,
        form="share",
        overview=overview,
    )


def _outliers(name: str, title: str) -> Column:
    words = f"how well its density tells the test pictures from {title}: area under the ROC curve, 0.5 is not at all"
    key = f"roc_area_{name}"
    return Column(key, f"ROC, {title}", "likelihood", words, better="higher", keys=(key,))


COLUMNS = (
    Column("family_title", "Family", "model", "what kind of generative model it is", form="text", across=True),
    Column("data_title", "Data set", "model", "what it was trained on", form="text", across=True),
    Column("pixels", "Pixels", "model", "what its probabilities and samples are of", form="text", across=True),
    Column(
        "parameters",
        "Parameters",
        "cost",
        "trained numbers that are stored",
        better="lower",
        form="count",
        across=True,
        overview=True,
    ),
    Column(
        "nll",
        "NLL",
        "overview",
        "negative log-likelihood of test pictures, in nats for black-and-white pixels, else in bits per pixel and "
        "channel: ≤ from a lower bound, ≈ an estimate",
        better="lower",
        overview=True,
    ),
    Column(
        "bits_per_dim",
        "NLL",
        "likelihood",
        "negative log-likelihood of test pictures, per pixel and channel: ≤ from a lower bound, ≈ an estimate",
        unit="bits/dim",
        better="lower",
        keys=("bits_per_dim_iw", "bits_per_dim"),
    ),
    Column(
        "nll_nats",
        "NLL",
        "likelihood",
        "negative log-likelihood of a test picture: ≤ from a lower bound, ≈ an estimate",
        unit="nats",
        better="lower",
        keys=("nll_iw_nats", "nll_nats"),
    ),
    Column("kind", "Kind", "likelihood", "exact, a lower bound, an estimate, or none", form="text", overview=True),
    Column(
        "rate_nats",
        "Rate",
        "likelihood",
        "information in the code of a test picture",
        unit="nats",
        keys=("rate_nats",),
    ),
    Column(
        "distortion_nats",
        "Distortion",
        "likelihood",
        "what the code does not tell of the picture",
        unit="nats",
        better="lower",
        keys=("distortion_nats",),
    ),
    _outliers("fashion_mnist", "Fashion-MNIST"),
    _outliers("mnist", "MNIST"),
    _outliers("noise", "noise"),
    _distance("frechet", "Fréchet", f"squared Fréchet distance of samples to test pictures, {SPACE}", overview=True),
    _distance("kernel", "Kernel", f"squared kernel distance (MMD, cubic kernel) of samples to test pictures, {SPACE}"),
    _overlap("precision", "Precision", "share of samples that look like test pictures", overview=True),
    _overlap("recall", "Recall", "share of test pictures that look like samples", overview=True),
    _overlap("density", "Density", "how densely test pictures lie around samples", form="number"),
    _overlap("coverage", "Coverage", "share of test pictures that have a sample nearby", overview=True),
    Column(
        "label_accuracy",
        "Right class",
        "samples",
        "share of samples of a class that the classifier takes for that class",
        better="higher",
        keys=("label_accuracy",),
        form="share",
        overview=True,
    ),
    _distance("class_balance", "Imbalance", "distance of the shares of the classes among samples from equal shares"),
    Column(
        "copying_ratio",
        "Newness",
        "samples",
        "distance of a sample to its nearest training picture, over that of a test picture: well below 1 is copying",
        keys=("copying_ratio",),
    ),
    Column(
        "copying_share",
        "Copies",
        "samples",
        "share of samples nearer to a training picture than one in a hundred test pictures: 1 % is expected",
        better="lower",
        keys=("copying_share",),
        form="share",
    ),
    _outlines(
        "f1", "Edge F1", "agreement within a pixel of an outline and that of the picture drawn from it", "higher"
    ),
    _outlines("chamfer", "Chamfer", "pixels between an outline and that of the picture drawn from it", "lower"),
    _outlines("frechet", "Fréchet, outlines", f"squared Fréchet distance of what outlines become, {SPACE}", "lower"),
    Column(
        "outline_diversity",
        "Diversity",
        "samples",
        "root mean square difference of two pictures drawn from the same outline",
        keys=("outline_diversity",),
        beside=(("_class", "test pictures of one class"),),
    ),
    _distance("inception_frechet", "Inception FID", "squared Fréchet distance in Inception features, resized pictures"),
    _accuracy(
        "probe_1000", "Probe, 1000", "test accuracy of a linear classifier of its codes, 1000 labels", overview=True
    ),
    _accuracy("probe_all", "Probe, all", "test accuracy of a linear classifier of its codes, all labels"),
    _accuracy("knn_1000", "k-NN, 1000", "test accuracy of the nearest neighbours among its codes, 1000 labels"),
    _accuracy("knn_all", "k-NN, all", "test accuracy of the nearest neighbours among its codes, all labels"),
    Column(
        "seconds_per_16",
        "16 samples",
        "cost",
        "wall-clock seconds for 16 samples on two threads",
        unit="s",
        better="lower",
        keys=("seconds_per_16",),
        form="seconds",
        across=True,
        overview=True,
    ),
    Column(
        "network_evaluations",
        "Evaluations",
        "cost",
        "network evaluations per sample",
        better="lower",
        keys=("network_evaluations",),
        form="count",
        across=True,
    ),
    Column(
        "training",
        "Training",
        "cost",
        "minutes that its training took, on the machine that the card names",
        unit="min",
        better="lower",
        form="number",
        across=True,
    ),
    Column(
        "published",
        "Published",
        "literature",
        "numbers from the literature, each under its own protocol",
        form="text",
        overview=True,
    ),
)
