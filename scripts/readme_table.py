"""Write the README's tables from the code and the cards, or check that they are what the code says.

python scripts/readme_table.py --write    after adding a family, an activity or a model, or measuring one anew
python scripts/readme_table.py --check    exit code 1 if the README is behind
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # so that it runs from any folder, uninstalled

import torch  # noqa: E402

from playground import catalog  # noqa: E402
from playground.activities import activities  # noqa: E402
from playground.capabilities import About, Carries, Density, Fields, Model, why_not  # noqa: E402
from playground.catalog import Card, Metric  # noqa: E402
from playground.data import datasets  # noqa: E402
from playground.lab.learners import learners  # noqa: E402
from playground.rng import Rng  # noqa: E402

README = ROOT / "README.md"
SIGNS = {"exact": "", "lower bound": "≤ ", "estimate": "≈ ", "unnormalised": "? "}  # a bound on log p, seen from -log p


class Notes:
    """Numbered notes below a table: the same text gets the same number."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def mark(self, text: str) -> str:
        """The raised number of a note."""
        sentence = text[0].upper() + text[1:].rstrip(".") + "."
        if sentence not in self.texts:
            self.texts.append(sentence)
        return f"<sup>{self.texts.index(sentence) + 1}</sup>"

    def lines(self) -> list[str]:
        """The notes as a numbered list."""
        return [f"{i}. {text}" for i, text in enumerate(self.texts, 1)]


def shown_families() -> list[tuple[type[Model], About]]:
    """Every family of pictures that a page lists, in the page's order."""
    found = [(f, f.about) for f in catalog.families().values() if f.about is not None and len(f.tiny().shape) == 3]
    return sorted(found, key=lambda pair: (vars(sys.modules[pair[0].__module__]).get("ORDER", 100), pair[1].title))


def what_can_it_do() -> list[str]:
    """The table of families x activities."""
    columns, notes = list(activities().values()), Notes()
    rows = []
    for family, about in shown_families():
        file = family.__module__.replace(".", "/") + ".py"
        reasons = [activity.why_not(family) for activity in columns]
        cells = [f"–{notes.mark(reason)}" if reason else "yes" for reason in reasons]
        rows.append([f"[{about.title}]({file})", about.line.rstrip("."), *cells])
    return [*markdown(["family", "what it is", *(a.name for a in columns)], rows), "", *notes.lines()]


def who_races() -> list[str]:
    """The table of the laboratory's learners."""
    notes = Notes()
    rows = []
    for learner in learners().values():
        family = learner.model_class()
        file = family.__module__.replace(".", "/") + ".py"
        line = family.about.line.rstrip(".") if family.about else ""
        density = "none" if not issubclass(family, Density) else kind(family)
        reasons = [why_not(family, needed) for needed in (Fields, Carries)]
        cells = [f"–{notes.mark(reason)}" if reason else "yes" for reason in reasons]
        rows.append([f"[{learner.title}]({file})", line, density, *cells])
    return [*markdown(["learner", "what it is", "density", "field", "path"], rows), "", *notes.lines()]


def kind(family: type[Density]) -> str:
    """What its log-probabilities are in the plane, asked of a tiny one."""
    model = family.tiny().eval()
    x = torch.zeros(1, *model.shape)
    with torch.no_grad():
        return model.log_prob(x, Rng(0, 1)).kind


def what_was_measured() -> list[str]:
    """The table of trained models, from their cards."""
    notes = Notes()
    rows, judges = [], []
    published: dict[str, list[str]] = {}  # the claim, and the models it stands beside
    for card in catalog.cards().values():
        about = catalog.family_class(card).about
        for p in card.published:
            published.setdefault(f"{p['metric']}: {p['value']} ({p['source']})", []).append(f"`{card.name}`")
        if about is None:
            judges.append(judge(card))
        else:
            rows.append([f"`{card.name}`", about.title, thousands(card.parameters), *cells(card, notes)])
    if not rows:
        return ["No model is on the shelf yet: `python -m playground.train NAME` trains one."]
    header = ["model", "family", "parameters", "−log p, nats", "bits/dim", "Fréchet (floor)", "s per 16 samples"]
    lines = markdown(header, rows)
    lines += [
        "",
        "≤: an upper bound on −log p, from a lower bound on log p; ≈: an estimate; no sign: exact. " + " ".join(judges),
    ]
    lines += ["", *notes.lines()]
    if published:
        lines += ["", "Published, each under its own protocol:", ""]
        lines += [f"- beside {', '.join(names)}: {claim}" for claim, names in published.items()]
    return lines


def what_it_learns_from() -> list[str]:
    """The table of data sets."""
    rows = [[d.title, d.line, d.licence] for d in datasets().values()]
    return markdown(["data set", "what it is", "licence, as its makers state it"], rows)


def cells(card: Card, notes: Notes) -> list[str]:
    """The measured cells of a model's row."""
    m = card.metrics
    nats = [likelihood(m[key], notes) for key in ("nll_nats", "nll_iw_nats") if key in m]
    bits = [likelihood(m[key], None) for key in ("bits_per_dim", "bits_per_dim_iw") if key in m]
    distance = "–"
    if "frechet" in m:
        floor = f" ({m['frechet_floor'].value:.2g})" if "frechet_floor" in m else ""
        distance = f"{m['frechet'].value:.3g}{floor}{notes.mark(m['frechet'].protocol)}"
    seconds = m.get("seconds_per_16")
    cost = f"{seconds.value:.2g}{notes.mark(seconds.protocol)}" if seconds else "–"
    return ["<br>".join(nats) or "–", "<br>".join(bits) or "–", distance, cost]


def likelihood(metric: Metric, notes: Notes | None) -> str:
    """A likelihood with its kind's sign, its standard error, and a note of its protocol."""
    error = f" ± {metric.stderr:.1g}" if metric.stderr is not None else ""
    return f"{SIGNS[metric.kind]}{metric.value:.4g}{error}{notes.mark(metric.protocol) if notes else ''}"


def judge(card: Card) -> str:
    """A sentence on a classifier, in whose features the Fréchet distance is taken."""
    accuracy = card.metrics.get("accuracy")
    right = f", right on {accuracy.value:.2%} of the {accuracy.split} pictures" if accuracy else ""
    return f"The judge is `{card.name}`{right}."


def thousands(n: int) -> str:
    """A count of parameters, short."""
    return f"{n / 1e6:.2f} M" if n >= 1e6 else f"{n / 1e3:.0f} k"


def markdown(header: list[str], rows: list[list[str]]) -> list[str]:
    """A table in Markdown."""
    table = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in table]


SECTIONS: dict[str, Callable[[], list[str]]] = {
    "table": what_can_it_do,
    "laboratory": who_races,
    "models": what_was_measured,
    "data": what_it_learns_from,
}


def rewritten(text: str) -> str:
    """The README's text with every generated section as it should be.

    Raises:
        ValueError: a section's markers are missing.
    """
    for name, lines in SECTIONS.items():
        begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"README.md lacks the markers {begin.strip()} and {end}")
        text = "".join([before, begin, "\n".join(lines()), "\n", end, after])
    return text


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true")
    what.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    now = README.read_text(encoding="utf-8")
    wanted = rewritten(now)
    if options.write:
        README.write_text(wanted, encoding="utf-8")
    elif now != wanted:
        sys.exit("README.md is behind the code: run python scripts/readme_table.py --write")


if __name__ == "__main__":
    main()
