"""Measure the trained models from their stored weights and write what was found into their cards."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from playground import catalog
from playground.catalog import Card, Unusable
from playground.data import DataMissing
from playground.evaluation.fidelity import is_judge
from playground.evaluation.parts import Options, Part, Task, parts
from playground.evaluation.progress import forget, forget_shared, measured, put
from playground.evaluation.report import report
from playground.knobs import Refused


def evaluate(card: Card, chosen: Sequence[Part], options: Options, fresh: bool) -> list[str]:
    """Measure one model part by part, each written to its card at once; what was refused, a sentence each."""
    try:
        task = Task(card, catalog.load(card.name), options)
    except Unusable as error:
        return [str(error)]
    if fresh and any(part.draws for part in chosen):
        forget(task)
    refused = []
    for part in chosen:
        if not part.takes(task):
            continue
        try:
            metrics, seconds = measured(task, part, fresh)
            put(task, metrics)
        except (Refused, DataMissing) as error:
            refused.append(str(error))
        else:
            print(f"{card.name}: {part.name} took {seconds:.1f} s")
    return refused


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 if anything was refused."""
    known = parts()
    usual = ",".join(name for name, part in known.items() if not part.on_request)
    parser = argparse.ArgumentParser(prog="python -m playground.evaluation", description=__doc__)
    parser.add_argument("names", nargs="*", help="models to measure; all of them by default")
    parser.add_argument("--only", default=usual, help=f"parts, with commas between: {', '.join(known)}")
    parser.add_argument("--n", type=int, default=2000, help="samples for the distances")
    parser.add_argument("--limit", type=int, default=None, help="the most test pictures for a likelihood")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where progress is kept")
    parser.add_argument("--fresh", action="store_true", help="measure anew what has been measured already")
    parser.add_argument("--report", action="store_true", help="measure nothing, print the cards")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    options = parser.parse_args(arguments)
    cards = catalog.cards()
    strange = [n for n in options.names if n not in cards] + [p for p in options.only.split(",") if p not in known]
    if strange:
        parser.error(f"there is no {', '.join(strange)}; models: {', '.join(cards)}; parts: {', '.join(known)}")
    if options.n < 1 or (options.limit is not None and options.limit < 2):
        parser.error("--n must be at least 1 and --limit at least 2, or there is no standard error")
    refused: list[str] = []
    if not options.report:
        chosen = [known[name] for name in options.only.split(",")]
        wanted = [cards[name] for name in options.names or cards]
        wanted.sort(key=lambda card: not is_judge(card))  # judges first
        what = Options(options.n, options.limit, options.runs / "evaluation", options.quiet)
        if options.fresh:
            forget_shared(what.folder)
        for number, card in enumerate(wanted, 1):
            print(f"{number} of {len(wanted)}: {card.name}")
            refused += evaluate(card, chosen, what, options.fresh)
        print()
    print(report(catalog.cards()[name] for name in options.names or catalog.cards()))
    for sentence in refused:
        print(sentence, file=sys.stderr)
    return int(bool(refused))


if __name__ == "__main__":
    sys.exit(main())
