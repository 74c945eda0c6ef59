"""A density from a formula in x and y: parsed by Python's own parser, walked by ours, never run as code."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from playground.knobs import Refused
from playground.lab.targets import HALF, Raster, raster

SIDE = 256  # cells along a side: 1/32 wide
LONGEST = 300  # characters
DEEPEST = 100  # steps from the root of the tree; a sum of n terms has n
STEEPEST = 64  # the largest exponent of a power
NAMES = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, tuple[int, Callable[..., np.ndarray]]] = {  # with how many arguments; -2: two or more
    "abs": (1, np.abs),
    "exp": (1, np.exp),
    "log": (1, np.log),
    "sqrt": (1, np.sqrt),
    "sin": (1, np.sin),
    "cos": (1, np.cos),
    "tan": (1, np.tan),
    "tanh": (1, np.tanh),
    "min": (-2, lambda *parts: reduce(np.minimum, parts)),
    "max": (-2, lambda *parts: reduce(np.maximum, parts)),
    "where": (3, lambda *parts: np.where(parts[0] != 0, parts[1], parts[2])),
}
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.divide,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
ALLOWED = f"x, y, numbers, pi, e, + - * / **, comparisons and {', '.join(FUNCTIONS)}"
TOKEN = re.compile(r"(?P<number>(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)|(?P<name>\w+)|(?P<sign>[-+*/(),<>=!\s])|(?P<odd>.)")


def from_formula(text: Any) -> Raster:
    """The density proportional to a formula over [-4, 4]^2, constant on each of 256 x 256 cells, zero outside.

    Raises:
        Refused: the formula cannot be read or is no density; its sentence says what to change.

    Example:
        >>> from_formula("exp(-x**2 / 2) * (abs(y) < 1)").title
        'exp(-x**2 / 2) * (abs(y) < 1)'
    """
    if not isinstance(text, str) or not text.strip():
        raise Refused("The formula is empty: write one in x and y, such as exp(-x**2 - y**2).")
    if len(text) > LONGEST:
        raise Refused(f"That formula has {len(text)} characters; at most {LONGEST} are taken.")
    text = " ".join(text.split())
    ticks = (np.arange(SIDE) + 0.5) * (2 * HALF / SIDE) - HALF
    x, y = np.meshgrid(ticks, ticks[::-1])  # row 0 is the top
    with np.errstate(all="ignore"):  # what is not finite is refused below
        values = np.broadcast_to(_value(_parse(text), {"x": x, "y": y, **NAMES}, 0), x.shape).astype(float)
    weights = _density(values)
    line = "Your formula, made to integrate to one: it is constant on cells 1/32 wide, and zero outside the window."
    title = text if len(text) <= 40 else f"{text[:38]} …"
    return raster(weights, "formula", title, line, {"formula": text})


def _density(values: np.ndarray) -> np.ndarray:
    """The values, if they can be a density."""
    strange = ~np.isfinite(values)
    if strange.any():
        raise Refused(
            f"That formula is not finite {_where(strange)} (a division by zero, an overflow, or the log or "
            "root of a negative number); keep it away from there with where(test, then, else)."
        )
    # sums that cancel leave rounding errors, which are not the visitor's
    negative = values < -1e-12 * np.abs(values).max()
    if negative.any():
        raise Refused(
            f"That formula is negative {_where(negative)}, and a density cannot be; "
            "try max(0, ...), abs(...) or exp(...)."
        )
    if not values.any():
        raise Refused("That formula is zero everywhere in the window, x and y from -4 to 4.")
    return np.maximum(values, 0)


def _where(mask: np.ndarray) -> str:
    share = mask.mean()
    return "everywhere in the window" if share == 1 else f"on {max(share, 0.0001):.2%} of the window"


def _parse(text: str) -> ast.expr:
    """The formula's tree, after every word in it was looked at.

    Raises:
        Refused: a strange word or sign, or no formula.
    """
    for token in TOKEN.finditer(text):
        if token["name"] and token["name"] not in {"x", "y", *NAMES, *FUNCTIONS}:
            raise Refused(f"A formula cannot use '{token['name'][:40]}'; it can use {ALLOWED}.")
        if token["odd"]:
            hint = "write ** for a power" if token["odd"] == "^" else f"it can use {ALLOWED}"
            raise Refused(f"A formula cannot use the sign {token['odd']!r}; {hint}.")
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Refused(
            "That formula cannot be read: close every bracket and write every product with *, as in 2*x*(1 + y)."
        ) from None


def _value(node: ast.expr, names: dict[str, Any], depth: int) -> Any:
    """The value of one branch, float64, at all points at once."""
    if depth > DEEPEST:
        raise Refused(f"That formula is nested more than {DEEPEST} deep; write it flatter.")

    def below(child: ast.expr) -> Any:
        return _value(child, names, depth + 1)

    match node:
        case ast.Constant(value=int() | float() as value):
            return np.float64(value)
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            return OPERATORS[type(op)](below(operand))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(below(left), below(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](below(left), below(right))
        case ast.Compare(left=left, ops=ops, comparators=rights) if all(type(op) in OPERATORS for op in ops):
            sides = [below(left), *map(below, rights)]
            tests = [OPERATORS[type(op)](a, b) for op, a, b in zip(ops, sides[:-1], sides[1:], strict=True)]
            return reduce(np.logical_and, tests) * 1.0
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            return _call(name, args, below)
    raise Refused(f"A formula cannot say '{ast.unparse(node)[:40]}'; it can use {ALLOWED}.")


def _power(base: Any, exponent: Any) -> Any:
    if not np.all(np.abs(exponent) <= STEEPEST):
        raise Refused(
            f"That formula raises to a power beyond {STEEPEST}; keep the exponents from -{STEEPEST} to {STEEPEST}."
        )
    return np.power(base, exponent)


def _call(name: str, args: list[ast.expr], below: Callable[[ast.expr], Any]) -> Any:
    count, function = FUNCTIONS[name]
    if len(args) != count and not (count < 0 and len(args) >= -count):
        wanted = f"{-count} or more values" if count < 0 else f"{count} value{'s' * (count > 1)}"
        raise Refused(f"{name} takes {wanted} in its brackets; it was given {len(args)}.")
    return function(*map(below, args))
