"""Results as files: PNG contact sheets, GIF films, NPZ arrays. Pure functions of views."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from playground.drawings import painted
from playground.knobs import Refused
from playground.views import Curve, Drawings, Film, Images, Table, View

FORMATS = ("png", "gif", "npz")
FRAME = 90  # milliseconds a film frame stays
PAUSE = 1500  # milliseconds the last one stays: time to look at the result before it begins anew
PAPER, INK, FAINT = (255, 255, 255), (25, 25, 25), (110, 110, 110)
PAD = 12  # pixels around everything
THUMB = 28  # pixels of a picture in a table


def export(views: Sequence[View], request: dict[str, Any], format: str) -> bytes:
    """Finished views as a file of a format in ``FORMATS``.

    Args:
        views: one per key, none of them progress.
        request: the request as JSON, which goes into the file: enough to make the same result again.
        format: png, gif or npz.

    Raises:
        Refused: nothing in the views has that form.
    """
    return {"png": png, "gif": gif, "npz": npz}[format](views, request)


def png(views: Sequence[View], request: dict[str, Any]) -> bytes:
    """Every sheet of pictures below the other, with titles, row labels, captions and tables; a lone film as a strip.

    The request is in the PNG's text field ``request``.
    """
    views = [_sheet(v) if isinstance(v, Drawings) else v for v in views]
    pictures = [v for v in views if isinstance(v, Images)] or [_strip(v) for v in views if isinstance(v, Film)]
    sheets = [sheet(v) for v in pictures] + [
        table(v) for v in views if isinstance(v, Table) and (pictures or v.pictures is not None)
    ]
    if not sheets:
        raise Refused("This result has no pictures; save it as npz.")
    heading = _lines([f"{request['model']} · {request['activity']} · seed {request['seed']}"], 14, INK)
    parts = [heading, *sheets]
    width, height = max(p.width for p in parts), sum(p.height for p in parts)
    page = Image.new("RGB", (width + 2 * PAD, height + 2 * PAD), PAPER)
    top = PAD
    for part in parts:
        page.paste(part, (PAD, top))
        top += part.height
    note = PngInfo()
    note.add_text("request", json.dumps(_named(request)))
    return _saved(page, "PNG", pnginfo=note, optimize=True)


def gif(views: Sequence[View], request: dict[str, Any]) -> bytes:
    """The first film, looping, with a pause at its end; without a film, the pictures one after another."""
    films = [v for v in views if isinstance(v, Film)]
    sheets = [v for v in views if isinstance(v, Images)]
    if films:
        frames = [_grid(frame, _columns(len(frame))) for frame in films[0].pixels]
    elif sheets:
        frames = [_grid(picture[None], 1) for picture in sheets[0].pixels]
    else:
        raise Refused("This result has no pictures; save it as npz.")
    scale = max(1, 320 // max(frames[0].size))
    large = [f.resize((f.width * scale, f.height * scale), Image.Resampling.NEAREST) for f in frames]
    times = [FRAME if films else 5 * FRAME] * (len(large) - 1) + [PAUSE]
    still = [f.convert("P", palette=Image.Palette.ADAPTIVE) if f.mode == "RGB" else f for f in large]
    comment = json.dumps(_named(request)).encode()
    return _saved(still[0], "GIF", save_all=True, append_images=still[1:], duration=times, loop=0, comment=comment)


def npz(views: Sequence[View], request: dict[str, Any]) -> bytes:
    """Every array under ``<key>.<field>``, every table and list of texts as JSON text, and ``request.json``."""
    arrays: dict[str, np.ndarray] = {"request.json": np.array(json.dumps(_named(request)))}
    for view in views:
        for name, value in vars(view).items():
            if isinstance(value, np.ndarray):
                arrays[f"{view.key}.{name}"] = value
            elif (
                name in ("captions", "steps", "group", "columns", "rows", "caption", "series", "axes", "drawings")
                and value
            ):
                arrays[f"{view.key}.{name}"] = np.array(json.dumps(value))
    if not any(isinstance(v, Images | Film | Table | Curve | Drawings) for v in views):
        raise Refused("This result holds no numbers to save.")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def sheet(view: Images) -> Image.Image:
    """A contact sheet: the title, rows of pictures with their labels and captions, the caption below."""
    n, height, width = view.pixels.shape[:3]
    columns = view.columns or _columns(n)
    scale = max(1, round(84 / max(height, width)))
    if columns > 16:
        scale = max(1, scale // 2)
    cell = (width * scale + 4, height * scale + 4)
    font = _font(11)
    left = max((int(font.getlength(g)) for g in view.group), default=-8) + 8
    head = _lines([view.title], 13, INK) if view.title else Image.new("RGB", (1, 4), PAPER)
    across = max(left + columns * cell[0], 320)
    foot = _lines(_wrapped(view.caption, across), 11, FAINT)
    rows = -(-n // columns)
    spoken = [any(view.captions[r * columns : (r + 1) * columns]) for r in range(rows)]  # rows with captions
    page = Image.new("RGB", (across, head.height + rows * cell[1] + 14 * sum(spoken) + foot.height + PAD), PAPER)
    page.paste(head, (0, 0))
    draw = ImageDraw.Draw(page)
    for i, picture in enumerate(view.pixels):
        row, column = divmod(i, columns)
        x, y = left + column * cell[0], head.height + row * cell[1] + 14 * sum(spoken[:row])
        page.paste(_picture(picture).resize((width * scale, height * scale), Image.Resampling.NEAREST), (x, y))
        if view.captions:
            draw.text((x, y + height * scale + 1), _plain(view.captions[i]), FAINT, font)
        if column == 0 and row < len(view.group):
            draw.text((0, y + height * scale // 2 - 6), view.group[row], INK, font)
    page.paste(foot, (0, page.height - foot.height - PAD + 4))
    return page


def table(view: Table) -> Image.Image:
    """A table as text in columns, its caption below."""
    cells = [view.columns, *([_cell(c) for c in row] for row in view.rows)]
    font = _font(11)
    widths = [int(max(font.getlength(row[i]) for row in cells)) + 16 for i in range(len(view.columns))]
    foot = _lines(_wrapped(view.caption, max(sum(widths), 420)), 11, FAINT)
    head = _lines([view.title], 13, INK) if view.title else Image.new("RGB", (1, 1), PAPER)
    left, step = (0, 17) if view.pictures is None else (THUMB + 8, THUMB + 4)
    high = head.height + 17 + step * len(view.rows)
    page = Image.new("RGB", (max(left + sum(widths), foot.width, head.width), high + foot.height + PAD), PAPER)
    page.paste(head, (0, 0))
    draw = ImageDraw.Draw(page)
    for i, row in enumerate(cells):
        y = head.height + (17 + step * (i - 1) if i else 0)
        for x, text in enumerate(row):
            draw.text((left + sum(widths[:x]), y + (step - 17) // 2 * (i > 0)), text, INK if i else FAINT, font)
        if i and view.pictures is not None:
            page.paste(_picture(view.pictures[i - 1]).resize((THUMB, THUMB), Image.Resampling.NEAREST), (0, y))
    page.paste(foot, (0, high + 4))
    return page


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return _plain(value) if isinstance(value, str) else f"{value:g}"


def _strip(film: Film, most: int = 12) -> Images:
    """A film as pictures: one row per picture, at most ``most`` of its states in it."""
    frames = len(film.pixels)
    index = sorted({round(i * (frames - 1) / max(1, most - 1)) for i in range(most)})
    pixels = film.pixels[index].swapaxes(0, 1)  # (n, frames, height, width, channels)
    times = [film.steps[i] for i in index] if film.steps else [""] * len(index)
    captions = (*[""] * (len(index) * (len(pixels) - 1)), *times)
    flat = pixels.reshape(-1, *pixels.shape[2:])
    return Images(
        pixels=flat, columns=len(index), title=film.title, caption=film.caption, captions=captions if any(times) else ()
    )


def _sheet(view: Drawings) -> Images:
    """Drawings as pictures, dark on white."""
    pixels = np.stack([255 - painted([np.array(line) for line in each], THUMB * 3) for each in view.drawings])
    words = {name: getattr(view, name) for name in ("captions", "columns", "title", "caption")}
    return Images(pixels=pixels[..., None], **words)


def _grid(pictures: np.ndarray, columns: int) -> Image.Image:
    """Pictures (n, height, width, channels) side by side, without gaps."""
    n, height, width, channels = pictures.shape
    rows = -(-n // columns)
    whole = np.zeros((rows * columns, height, width, channels), np.uint8)
    whole[:n] = pictures
    tiles = whole.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return _picture(tiles.reshape(rows * height, columns * width, channels))


def _picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _columns(n: int) -> int:
    """The columns of the squarest grid that is not taller than wide."""
    return int(np.ceil(np.sqrt(n)))


def _plain(text: str) -> str:
    """Text in the letters that the built-in font has."""
    return text.replace("≥", ">=").replace("≤", "<=").replace("≈", "~").replace("−", "-")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _wrapped(text: str, width: int) -> list[str]:
    """Text in lines of at most ``width`` pixels."""
    font, lines = _font(11), [""]
    for word in _plain(text).split():
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if font.getlength(longer) <= width else [*lines, word]
    return [line for line in lines if line]


def _lines(lines: Sequence[str], size: int, ink: tuple[int, int, int]) -> Image.Image:
    """Lines of text on paper."""
    font = _font(size)
    width = int(max((font.getlength(line) for line in lines), default=1)) + 1
    image = Image.new("RGB", (width, max(1, len(lines) * (size + 5) + 2)), PAPER)
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(lines):
        draw.text((0, i * (size + 5)), line, ink, font)
    return image


def _named(request: dict[str, Any]) -> dict[str, Any]:
    """The request without the visitor's own pictures, which are long and theirs."""
    knobs = {k: v for k, v in request["knobs"].items() if not (isinstance(v, str) and len(v) > 200)}
    return {**request, "knobs": knobs}


def _saved(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()
