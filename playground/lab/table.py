"""The visitor's own points: two columns of a CSV file, read whatever its separators, header or gaps."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from playground.knobs import Refused
from playground.lab.points import FAR, HELD_OUT, MAX_POINTS, MIN_POINTS, Points, own_points

MAX_BYTES = 32_000_000
MAX_ROWS = 100_000  # read; of a longer file evenly spaced lines
SHARE = 0.9  # of the data between the marks -EDGE and EDGE along each axis
EDGE = 2.0
SEPARATORS = "\t;|, "  # a comma last but one: it may be the decimal mark of a file with semicolons
SAME = 1e-12  # relative differences below it are rounding
LOOKED_AT = 200  # rows from which separators and columns are guessed


@dataclass(frozen=True)
class Columns:
    """What a file holds.

    Args:
        names: of the columns that are mostly numbers.
        rows: lines of data.
    """

    names: tuple[str, ...]
    rows: int


def columns_of(data: bytes) -> Columns:
    """The numeric columns of a CSV file and its number of rows.

    Raises:
        Refused: no table, or fewer than two columns of numbers.
    """
    table = _read(data)
    return Columns(tuple(table.names[i] for i in table.numeric()), table.rows)


def from_csv(data: bytes, columns: Sequence[str] | None = None) -> tuple[Points, str]:
    """Two columns of a CSV file as a target, moved and scaled into the window, and what was done in words.

    Args:
        data: the file; separators, quotes, byte-order mark and header are found out.
        columns: their names, as ``columns_of`` gives them; None for the first two.

    Raises:
        Refused: no table, no such columns, too few numbers, or nothing that varies.
    """
    table = _read(data)
    chosen = _chosen(table, columns)
    names = (table.names[chosen[0]], table.names[chosen[1]])
    values = table.values(*chosen)
    good = values[np.isfinite(values).all(1)]
    said = [table.said] if table.said else []
    if len(good) < len(values):
        said.append(f"Left out: {_rows(len(values) - len(good))} without two numbers.")
    if len(good) < MIN_POINTS:
        raise Refused(
            f"Columns {names[0]} and {names[1]} have {_rows(len(good))} with two numbers; "
            f"at least {MIN_POINTS} are needed."
        )
    centre, scale = _frame(good, names)
    x = _drawn(good / scale - centre / scale, names, said)
    cut = round(HELD_OUT * len(x))
    moves = [
        f"{axis} = ({name} {'−' if c >= 0 else '+'} {abs(c):.6g}) / {s:.4g}"
        for axis, name, c, s in zip("xy", names, centre, scale, strict=True)
    ]
    parts = f"{len(x) - cut:,} rows to learn from, {cut:,} held out; {' and '.join(moves)}."
    info = " ".join([parts, *said])
    where = (float(centre[0]), float(centre[1])), (float(scale[0]), float(scale[1]))
    return own_points(x[cut:], x[:cut], names, *where, info), info


def _drawn(x: np.ndarray, names: tuple[str, str], said: list[str]) -> np.ndarray:
    """The points that are used, in random order; ``said`` gets a sentence about what is not.

    Raises:
        Refused: all are on one line.
    """
    near = (np.abs(x) <= FAR).all(1)
    if not near.all():
        said.append(f"Left out: {_rows(int(np.count_nonzero(~near)))} far from all others.")
    x = x[near]
    if abs(np.corrcoef(x.T)[0, 1]) > 1 - SAME:
        raise Refused(f"All points of {names[0]} and {names[1]} are on one line, which has no density; choose others.")
    if len(np.unique(x[:, 0] + 1j * x[:, 1])) < len(x) / 2:
        said.append("Most points occur more than once: on such points a density can grow without bound.")
    if len(x) > MAX_POINTS:
        said.append(f"{MAX_POINTS:,} rows chosen at random are used.")
    return np.random.default_rng(0).permutation(x)[:MAX_POINTS].astype(np.float32)


def _rows(n: int) -> str:
    return f"{n:,} row{'s' * (n != 1)}"


@dataclass(frozen=True)
class _Table:
    """A table's text and how to read it.

    Args:
        names: of the columns.
        head: the first rows of data.
        text: the file, or every so-manieth line of a long one.
        separator: between cells.
        start: rows before the data.
        rows: of data in the file.
        said: what was left out, in words.
    """

    names: list[str]
    head: list[list[str]]
    text: str
    separator: str
    start: int
    rows: int
    said: str

    def numeric(self) -> list[int]:
        """The columns of which at least half are numbers.

        Raises:
            Refused: fewer than two.
        """
        share = [np.mean([math.isfinite(_number(_cell(row, i))) for row in self.head]) for i in range(len(self.names))]
        found = [i for i, numbers in enumerate(share) if numbers >= 0.5]
        if len(found) < 2:
            what = f"only {self.names[found[0]]}" if found else "none"
            raise Refused(f"Two columns of numbers are needed, and that table has {what}.")
        return found

    def values(self, i: int, j: int) -> np.ndarray:
        """Two columns, (rows, 2), NaN where there is no number; a cell at a time, for a wide table is large."""
        rows = itertools.islice(_split(io.StringIO(self.text, newline=""), self.separator), self.start, None)
        return np.array([[_number(_cell(row, i)), _number(_cell(row, j))] for row in rows])


def _cell(row: list[str], i: int) -> str:
    return row[i] if i < len(row) else ""


def _number(cell: str) -> float:
    """The number in a cell; NaN for none. A decimal comma is read where a point would not do."""
    try:
        return float(cell)
    except ValueError:
        try:
            return float(cell.replace(",", ".", 1))
        except ValueError:
            return math.nan


def _read(data: bytes) -> _Table:
    if len(data) > MAX_BYTES:
        raise Refused(
            f"That file has {len(data) / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are taken. "
            "Send a part of it, such as every hundredth row."
        )
    text, total, step = _thinned(data)
    lines = [line for line in itertools.islice(io.StringIO(text), LOOKED_AT) if line.strip()]
    if not lines:
        raise Refused("That file is empty: send a table with two columns of numbers.")
    separator = _separator(lines)
    head = list(_split(lines, separator))
    width = Counter(map(len, head)).most_common(1)[0][0]
    first = [len(row) for row in head].index(width)  # a title may stand above the table
    header = all(math.isnan(_number(cell)) for cell in head[first])
    start = first + header
    if start == len(head):
        raise Refused("That table has a header and no rows.")
    said = f"Only one row in {step} was read, of {total - start:,}." if step > 1 else ""
    names = _names(head[first] if header else [], width)
    return _Table(names, head[start:], text, separator, start, total - start, said)


def _thinned(data: bytes) -> tuple[str, int, int]:
    """The file's text, of a long one every so-manieth line; its number of lines; that step."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", errors="replace").encode()  # Excel's "Unicode text"
    data = data.removeprefix(b"\xef\xbb\xbf")
    if any(c in data for c in range(32) if c not in b"\t\n\r\f"):
        raise Refused("That file is no text: save the table as CSV and send that.")
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").strip(b"\n").removeprefix(b"# ") + b"\n"
    while b"\n\n" in data:
        data = data.replace(b"\n\n", b"\n")
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    step = math.ceil(len(ends) / MAX_ROWS)
    if step > 1:
        starts = np.concatenate([[0], ends[:-1] + 1])
        # the first line too, which may be the header
        data = b"".join(data[a : b + 1] for a, b in zip(starts[::step].tolist(), ends[::step].tolist(), strict=True))
    try:
        return data.decode("utf-8"), len(ends), step
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), len(ends), step


def _split(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """The rows that are not blank.

    Raises:
        Refused: a cell of more than 128 kB.
    """
    try:
        yield from filter(None, csv.reader(lines, delimiter=separator, skipinitialspace=True))
    except csv.Error:
        raise Refused("That file cannot be read as a table: look for a quotation mark that is left open.") from None


def _separator(lines: list[str]) -> str:
    """The sign that cuts the most lines into equally many cells, more than one.

    Raises:
        Refused: none does.
    """
    best, most = "", 0
    for separator in SEPARATORS:
        width, count = Counter(map(len, _split(lines, separator))).most_common(1)[0]
        if width > 1 and count > most:
            best, most = separator, count
    if not best:
        raise Refused("That file has one column; two columns of numbers are needed, separated by commas.")
    return best


def _names(header: list[str], width: int) -> list[str]:
    """One name for each column, none twice."""
    names: list[str] = []
    for i in range(width):
        name = " ".join(_cell(header, i).split())[:60] or f"column {i + 1}"
        names.append(name if name not in names else f"{name} ({i + 1})")
    return names


def _chosen(table: _Table, columns: Sequence[str] | None) -> tuple[int, int]:
    numeric = table.numeric()
    if columns is None:
        return numeric[0], numeric[1]
    known = {table.names[i]: i for i in numeric}
    listed = isinstance(columns, list | tuple) and len(columns) == 2
    if not listed or not all(isinstance(c, str) and c in known for c in columns):
        raise Refused(f"Choose two of the columns of numbers: {', '.join(known)[:300]}.")
    if columns[0] == columns[1]:
        raise Refused("Choose two different columns: a column against itself is a line, which has no density.")
    return known[columns[0]], known[columns[1]]


def _frame(values: np.ndarray, names: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """What is subtracted and divided by, so that most of each column falls between -EDGE and EDGE.

    Raises:
        Refused: a column is constant.
    """
    low, high = np.quantile(values, [(1 - SHARE) / 2, (1 + SHARE) / 2], axis=0)
    for i, (column, name) in enumerate(zip(values.T, names, strict=True)):
        size = np.abs(column).max()
        if size == 0 or np.ptp(column / size) < SAME:
            raise Refused(f"Column {name} is constant; choose one that varies.")
        if high[i] / size - low[i] / size < SAME:  # nearly all are equal
            low[i], high[i] = column.min(), column.max()
    return low / 2 + high / 2, high / (2 * EDGE) - low / (2 * EDGE)
