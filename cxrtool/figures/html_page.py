"""A report: one HTML page that is whole in one file and asks nothing of the network.

Whatever it shows is data and is escaped: a class may be called `<script>`. The page says so itself
too: its policy lets the browser run this module's own script and style, and nothing else.
"""

import base64
import hashlib
import html
import math
import os
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from cxrtool import __version__
from cxrtool.core.errors import CxrtoolError, one_line
from cxrtool.figures import grids
from cxrtool.files import disk, png
from cxrtool.files.text import read_text

# A number, or a value with its interval: (value, low, high).
Cell = str | float | None | tuple[float, float, float]
Level = Literal["good", "bad", "note"]

SCRIPT = str(Path(__file__).with_name("html_page.js"))
STYLE = str(Path(__file__).with_name("html_page.css"))
LARGEST_PICTURE = 1 << 26
# A picture of more pixels in width is scrolled on a phone: shrunk, its letters could not be read.
LARGE = 660
# With fewer sections than these a table of contents is longer than the way.
SECTIONS_FOR_CONTENTS = 4
# A text that is a number, or begins with one that a percent sign or an interval follows.
NUMERIC = re.compile(
    r"([-+]?(?:\d+(?:,\d{3})*\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?inf)(?: ?%)?( ?[\[(±].*)?", re.I
)
# The size of a plot in points, of which there are 72 where a browser has 96 pixels.
SVG_SIZE = re.compile(rb'<svg[^>]* width="(\d+\.?\d*)pt" height="(\d+\.?\d*)pt"')
# What findings are called, as colour alone tells some readers nothing.
LEVELS = {"good": "Good", "bad": "Problem", "note": "Note"}
DISCLAIMER = "Research software, not a medical device: no basis for any decision about a patient."


class Page:
    """A page in the making; its parts stand in the order in which they are added."""

    def __init__(self, title: str, lead: str = "") -> None:
        self.title, self.lead = title, lead
        self.sections: list[Section] = []
        self.tables = self.figures = 0

    def section(self, title: str) -> "Section":
        """Begin a new section at the end of the page."""
        self.sections.append(Section(self, title, len(self.sections) + 1))
        return self.sections[-1]

    def render(self) -> str:
        """Return the page as HTML; the same parts give the same text."""
        style, script = (read_text(file) for file in (STYLE, SCRIPT))
        lead = f'<p class="lead">{_prose(self.lead)}</p>\n' if self.lead else ""
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{_escape(self.title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
            f"<header>\n<h1>{_escape(self.title)}</h1>\n{lead}</header>\n{self._contents()}"
            f"<main>\n{''.join(section.render() for section in self.sections)}</main>\n"
            f"<footer>\n<p>{DISCLAIMER}</p>\n<p>Made by cxrtool {__version__}.</p>\n</footer>\n"
            f"<script>{script}</script>\n</body>\n</html>\n"
        )

    def _contents(self) -> str:
        if len(self.sections) < SECTIONS_FOR_CONTENTS:
            return ""
        lines = [f'<li><a href="#{s.id}">{_escape(s.title)}</a></li>\n' for s in self.sections]
        return f'<nav aria-label="Contents">\n<ol>\n{"".join(lines)}</ol>\n</nav>\n'


class Section:
    """A part of a page under a heading. In its texts `backticks` set code."""

    def __init__(self, page: Page, title: str, number: int) -> None:
        self.title, self.id = title, f"section-{number}"
        self._page = page
        self._blocks: list[str] = []

    def text(self, *paragraphs: str) -> None:
        """Add paragraphs."""
        self._blocks += [f"<p>{_prose(paragraph)}</p>\n" for paragraph in paragraphs]

    def finding(self, level: Level, text: str) -> None:
        """Add a call-out: something is good, is a problem, or is to be noted."""
        body = f"<strong>{LEVELS[level]}.</strong> {_prose(text)}"
        self._blocks.append(f'<p class="finding {level}">{body}</p>\n')

    def code(self, command: str) -> None:
        """Add a command as it is typed; its line breaks stay."""
        lines = "\n".join(_escape(line) for line in command.split("\n"))
        self._blocks.append(f'<pre tabindex="0"><code>{lines}</code></pre>\n')

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], caption: str) -> None:
        """Add a table that its readers may sort; each row begins with its name.

        Numbers, intervals and texts that begin as such sort by value; nothing sorts last.
        """
        self._page.tables += 1
        name = f"table-{self._page.tables}"
        self._blocks.append(
            f'<figure class="table">\n<figcaption id="{name}"><b>Table {self._page.tables}.</b> '
            f"{_prose(caption)}</figcaption>\n"
            f'<div tabindex="0" role="region" aria-labelledby="{name}">\n'
            f"{_table(columns, rows, name)}</div>\n</figure>\n"
        )

    def picture(self, picture: bytes | str | os.PathLike[str], alt: str, caption: str = "") -> None:
        """Add a PNG, JPEG or SVG, given as its bytes or its file, into the page itself."""
        data, named = (picture, "a picture") if isinstance(picture, bytes) else _read(picture)
        kind, size = _kind(data, named)
        self._page.figures += 1
        name = f"Figure {self._page.figures}"
        about = f' width="{size[0]}" height="{size[1]}"' if size else ""
        frame = "<div>"
        if size and size[0] > LARGE:
            about += ' class="large"'
            frame = f'<div tabindex="0" role="region" aria-label="{name}">'
        content = base64.b64encode(data).decode("ascii")
        self._blocks.append(
            f"<figure>\n{frame}\n"
            f'<img src="data:{kind};base64,{content}"{about} alt="{_escape(alt)}">\n</div>\n'
            f"<figcaption><b>{name}.</b> {_prose(caption)}</figcaption>\n</figure>\n"
        )

    def render(self) -> str:
        """Return the section as HTML."""
        heading = f'<h2 id="{self.id}">{_escape(self.title)}</h2>\n'
        return (
            f'<section aria-labelledby="{self.id}">\n{heading}{"".join(self._blocks)}</section>\n'
        )


def write(path: str | os.PathLike[str], page: Page) -> None:
    """Write a page whole, or not at all."""
    with disk.atomic(path) as file:
        file.write(page.render().encode("utf-8"))


def _escape(text: object) -> str:
    """Make a text harmless: no markup, no line break, nothing that turns the reading direction."""
    return html.escape(one_line(text))


def _prose(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _escape(text))


def _policy(style: str, script: str) -> str:
    hashes = [
        base64.b64encode(hashlib.sha256(part.encode()).digest()).decode("ascii")
        for part in (style, script)
    ]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[Cell]], name: str) -> str:
    numeric = [all(map(_is_numeric, column)) for column in zip(*rows, strict=True)]
    sides = [' class="number"' if right else "" for right in numeric or [False] * len(columns)]
    head = "".join(
        f'<th scope="col"{side}>{_escape(column)}</th>'
        for column, side in zip(columns, sides, strict=True)
    )
    body = "".join(f"<tr>{_row(row, sides)}</tr>\n" for row in rows)
    empty = f'<tr><td colspan="{max(len(columns), 1)}">no rows</td></tr>\n'
    return (
        f'<table aria-labelledby="{name}">\n<thead>\n<tr>{head}</tr>\n</thead>\n'
        f"<tbody>\n{body or empty}</tbody>\n</table>\n"
    )


def _row(row: Sequence[Cell], sides: Sequence[str]) -> str:
    cells = []
    for at, (cell, side) in enumerate(zip(row, sides, strict=True)):
        value = _value(cell)
        # The script sorts by this; a text without it sorts by its letters.
        data = "" if value is None else f' data-value="{value}"'
        opening, tag = ('th scope="row"', "th") if at == 0 else ("td", "td")
        cells.append(f"<{opening}{side}{data}>{_with_small_interval(_shown(cell))}</{tag}>")
    return "".join(cells)


def _with_small_interval(text: str) -> str:
    """Set what follows a number in small type below it, so that many columns fit a page."""
    match = NUMERIC.fullmatch(text)
    if not match or not match[2]:
        return _escape(text)
    return f"{_escape(text[: match.start(2)])}<small>{_escape(match[2])}</small>"


def _shown(cell: Cell) -> str:
    if cell is None or isinstance(cell, str):
        return cell or ""
    value, *interval = cell if isinstance(cell, tuple) else (cell,)
    if isinstance(value, float) and math.isnan(value):
        return ""
    if interval:
        return grids.with_interval(value, interval[0], interval[1])
    return grids.number(value) if isinstance(value, float) else str(value)


def _is_numeric(cell: Cell) -> bool:
    """Tell whether a cell fits a column of numbers, as an empty one does."""
    return not isinstance(cell, str) or not cell or NUMERIC.fullmatch(cell) is not None


def _value(cell: Cell) -> str | None:
    """Return the number that a cell is or begins with, as scripts write it."""
    if isinstance(cell, str):
        match = NUMERIC.fullmatch(cell)
        cell = float(match[1].replace(",", "")) if match else None
    value = cell[0] if isinstance(cell, tuple) else cell
    if value is None or math.isnan(value):
        return None
    return repr(float(value)).replace("inf", "Infinity")


def _read(path: str | os.PathLike[str]) -> tuple[bytes, str]:
    named = disk.shown(path)
    try:
        return disk.read_bytes(path, LARGEST_PICTURE), named
    except OSError as e:
        what = f"{named}: {(e.strerror or str(e)).lower()}"
        raise CxrtoolError(what, "Check the path.") from e
    except ValueError as e:
        raise CxrtoolError(f"{named}: {e}", "Check what it is.") from None


def _kind(data: bytes, named: str) -> tuple[str, tuple[int, int] | None]:
    """Tell a picture's media type by its bytes, and its size where it is easily found."""
    if data.startswith(png.SIGNATURE) and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return "image/png", (width, height)
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", None
    if b"<svg" not in data[:4096]:
        raise CxrtoolError(f"{named}: it is no PNG, JPEG or SVG", "Name a picture of such a kind.")
    match = SVG_SIZE.search(data[:4096])
    if not match:
        return "image/svg+xml", None
    return "image/svg+xml", (round(float(match[1]) * 4 / 3), round(float(match[2]) * 4 / 3))
