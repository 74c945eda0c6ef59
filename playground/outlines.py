"""Outlines of pictures, clean or as a hand might draw them, bright ink on black: what sketches are learnt from.

Edges are found as Canny does (1986, IEEE Transactions on Pattern Analysis and Machine Intelligence 8, 679): smooth,
differentiate, keep what is the steepest across its own direction; beside the paper it may be faint.
All in tensors, so that a training makes new outlines of its pictures at every step. A hand is imitated by bending the
picture before, and by the stroke's width, gaps and left-out details after.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

FINE = 2  # lines are found in the picture enlarged so much, and averaged down: hairlines are grey
MARGIN = 2  # pixels of paper around the picture, so that what touches the frame has an edge there
FAINT = 0.1  # of full contrast: less is paper
STEEP = 0.3  # of the picture's steepest slope: an inner line of the clean outline
WIDTHS = (2, 4)  # of strokes, the least and the greatest, in enlarged pixels
TURN = 2.414  # the tangent of 67.5 degrees: steeper is taken for upright, 1 / TURN for level


@dataclass(frozen=True)
class Hand:
    """How each outline of a batch is drawn.

    Args:
        bend: (n, 2, height, width) by how many pixels to the right and down each place is moved.
        steep: (n,) of the steepest slope, that an inner line must have; above 1 there is none.
        width: (n,) of its strokes, in pixels of the enlarged picture, within ``WIDTHS``.
        gap: (n, 1, height, width) where ink is left out, 1, or not, 0; anything between is cut in the middle.
    """

    bend: Tensor
    steep: Tensor
    width: Tensor
    gap: Tensor

    @classmethod
    def steady(cls, x: Tensor) -> Hand:
        """One that copies pictures (n, channels, height, width) as they are, with strokes of a pixel and a half."""
        n, _, height, width = x.shape
        still = x.new_zeros(n, 1, height, width)
        return cls(still.expand(-1, 2, -1, -1), x.new_full((n,), STEEP), x.new_full((n,), 3), still)

    @classmethod
    def shaky(cls, x: Tensor, generator: torch.Generator) -> Hand:
        """One that bends by about a pixel over the whole and a third of one from stroke to stroke, and leaves gaps.

        A third of the outlines have no inner lines at all.
        """
        n, _, height, width = x.shape

        def draw(*shape: int) -> Tensor:
            return torch.rand(n, *shape, generator=generator, device=x.device)

        def spread(coarse: Tensor) -> Tensor:
            return F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)

        bend = spread(2 * draw(2, 3, 3) - 1) + 0.5 * spread(2 * draw(2, 8, 8) - 1)
        steep, fine, thick, missing = draw(4).unbind(1)
        share = 0.25 * missing.square()[:, None, None, None]  # of the ink that is left out: mostly little
        return cls(
            bend,
            torch.where(steep < 1 / 3, 2.0, 0.2 + 0.6 * fine),
            (WIDTHS[0] + thick * (1 + WIDTHS[1] - WIDTHS[0])).floor(),
            0.5 + share - spread(draw(1, 9, 9)),
        )


def outline(x: Tensor, paper: float, hand: Hand | None = None) -> Tensor:
    """The outlines, (n, 1, height, width) in [0, 1], ink 1, of pictures (n, channels, height, width) in [0, 1].

    Args:
        x: pictures.
        paper: the background's brightness: 0 for things on black, 1 for things on white.
        hand: who draws; a steady one by default.
    """
    hand = hand or Hand.steady(x)
    ink = _lines(_blurred(_enlarged(x - paper, hand.bend)), hand.steep)
    ink = ink * (F.interpolate(hand.gap, ink.shape[2:], mode="bilinear") < 0.5)
    drawn = torch.zeros_like(ink)
    for width in range(WIDTHS[0], WIDTHS[1] + 1):
        drawn = torch.where((hand.width == width)[:, None, None, None], _thicker(ink, width - 1), drawn)
    edge = FINE * MARGIN
    return F.avg_pool2d(drawn[:, :, edge:-edge, edge:-edge], FINE)


def _enlarged(x: Tensor, bend: Tensor) -> Tensor:
    """Pictures whose paper is 0, FINE times as large with a margin, each place taken from where it is bent from."""
    height, width = x.shape[2:]
    ys, xs = (
        (torch.arange(FINE * (side + 2 * MARGIN), device=x.device) + 0.5) / FINE - MARGIN for side in (height, width)
    )
    size = (len(ys), len(xs))
    moved = F.interpolate(bend, size, mode="bilinear")
    place = torch.stack([(xs + moved[:, 0]) * (2 / width) - 1, (ys[:, None] + moved[:, 1]) * (2 / height) - 1], -1)
    return F.grid_sample(x, place, align_corners=False)


def _blurred(x: Tensor) -> Tensor:
    """Pictures, blurred by a binomial of five pixels across: neighbours averaged four times."""
    x = F.pad(x, (2, 2, 2, 2))
    for _ in range(4):
        x = x[..., 1:] + x[..., :-1]
        x = x[..., 1:, :] + x[..., :-1, :]
    return x / 256


def _thicker(ink: Tensor, by: int) -> Tensor:
    """Ink (n, 1, h, w), ``by`` pixels wider and taller."""
    before, after = (by + 1) // 2, by // 2
    ink = F.pad(ink, (before, after, before, after))
    for _ in range(by):
        ink = torch.maximum(ink[..., 1:], ink[..., :-1])
        ink = torch.maximum(ink[..., 1:, :], ink[..., :-1, :])
    return ink


def _lines(seen: Tensor, steep: Tensor) -> Tensor:
    """Where pictures (n, channels, h, w), whose paper is 0, have a line a pixel wide: (n, 1, h, w), 0 or 1."""
    right, down = _slopes(seen)
    slope = (right.square() + down.square()).sqrt()
    beside = F.pad(slope, (1, 1, 1, 1))

    def crest(dy: int, dx: int) -> Tensor:
        """Whether it is no less steep to both sides."""
        ahead, behind = (
            beside[
                :, :, 1 + sign * dy : beside.shape[2] - 1 + sign * dy, 1 + sign * dx : beside.shape[3] - 1 + sign * dx
            ]
            for sign in (1, -1)
        )
        return (slope > ahead) & (slope >= behind)

    level, upright = right.abs() > TURN * down.abs(), down.abs() > TURN * right.abs()
    slanting = torch.where(right * down > 0, crest(1, 1), crest(-1, 1))
    line = torch.where(level, crest(0, 1), torch.where(upright, crest(1, 0), slanting))
    paper = _thicker((seen.abs().amax(1, keepdim=True) < FAINT).to(seen.dtype), 4) > 0
    needed = (steep * slope.flatten(1).amax(1))[:, None, None, None].masked_fill(paper, 0).clamp(min=FAINT / 2)
    return (line & (slope > needed)).to(seen.dtype)


def _slopes(seen: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the right and down, (n, 1, h, w) each, in the channel in which they are the greatest."""
    around = F.pad(seen, (1, 1, 1, 1))
    right = around[:, :, 1:-1, 2:] - around[:, :, 1:-1, :-2]
    down = around[:, :, 2:, 1:-1] - around[:, :, :-2, 1:-1]
    if seen.shape[1] == 1:
        return right, down
    best = (right.square() + down.square()).argmax(1, keepdim=True)
    return right.gather(1, best), down.gather(1, best)
