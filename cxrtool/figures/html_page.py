"""A report (sections -> page): one HTML file that needs no other file and no network.

Whatever it shows is data and is escaped: a class may be called `<script>`. The page says so itself
too: its policy lets the browser run this module's own script and style, and nothing else.
"""

import base64
import hashlib
import os
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, Template
from markupsafe import Markup, escape

from cxrtool import __version__
from cxrtool.core.errors import CxrtoolError, one_line
from cxrtool.figures import tables
from cxrtool.figures.tables import Cell, ReportTable
from cxrtool.files import disk, png
from cxrtool.files.text import read_text

Level = Literal["good", "bad", "note"]

SCRIPT = str(Path(__file__).with_name("html_page.js"))
TEMPLATE = str(Path(__file__).with_name("html_page.html"))
STYLE = str(Path(__file__).with_name("html_page.css"))
LARGEST_PICTURE = 1 << 26
# A picture of more pixels in width is scrolled on a phone: shrunk, its letters could not be read.
LARGE = 660
# With fewer sections a table of contents helps nobody.
SECTIONS_FOR_CONTENTS = 4
# A text that is a number, or begins with one that a percent sign or an interval follows.
NUMERIC = re.compile(
    r"([-+]?(?:\d+(?:,\d{3})*\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?inf)(?: ?%)?( ?[\[(±].*)?", re.I
)
# The size of a plot in points, of which there are 72 where a browser has 96 pixels.
SVG_SIZE = re.compile(rb'<svg[^>]* width="(\d+\.?\d*)pt" height="(\d+\.?\d*)pt"')
# The one link that a text may hold: to a table of the same page.
TO_TABLE = re.compile(r"\[(Table (\d+))\]\(#table-\2\)")
# Findings have a word beside their colour, for readers who do not see colours.
LEVELS = {"good": "Good", "bad": "Problem", "note": "Note"}
DISCLAIMER = "Research software, not a medical device. Do not use it for decisions about patients."


@dataclass(frozen=True)
class Entry:
    """A row of a table with sentences below it: a word with its level, and other cells."""

    name: str
    word: str
    level: Level | None
    cells: Sequence[Cell]
    text: str
    next: str = ""
    printed: bool = True  # on the paper of a compact page


class Page:
    """A page in the making; its parts stand in the order in which they are added.

    A compact page has small letters and no contents on paper, for a report of a few sheets.
    """

    def __init__(self, title: str, lead: str = "", *, compact: bool = False) -> None:
        self.title, self.lead, self.compact = title, lead, compact
        self.sections: list[Section] = []
        self.tables = self.figures = 0

    def section(self, title: str, *, printed: bool = True) -> "Section":
        """Begin a new section at the end of the page; one may be for the screen only."""
        self.sections.append(Section(self, title, len(self.sections) + 1, printed))
        return self.sections[-1]

    def render(self) -> str:
        """Return the page as HTML; the same parts give the same text."""
        style, script = (read_text(file) for file in (STYLE, SCRIPT))
        return _template().render(
            page=self,
            style=Markup(style),
            script=Markup(script),
            policy=Markup(_policy(style, script)),
            levels=LEVELS,
            sections_for_contents=SECTIONS_FOR_CONTENTS,
            disclaimer=DISCLAIMER,
            version=__version__,
        )


class Section:
    """A part of a page under a heading.

    In its texts `backticks` set code, and `[Table 2](#table-2)` links to that table.
    """

    def __init__(self, page: Page, title: str, number: int, printed: bool = True) -> None:
        self.title, self.id, self.printed = title, f"section-{number}", printed
        self.blocks: list[dict[str, Any]] = []  # as the template takes them
        self._page = page

    def text(self, *paragraphs: str, lead: str = "") -> None:
        """Add paragraphs; each may begin with words that stand out."""
        self.blocks += [{"kind": "text", "text": text, "lead": lead} for text in paragraphs]

    def heading(self, title: str) -> None:
        """Begin a part of the section."""
        self.blocks.append({"kind": "heading", "text": title})

    def finding(self, level: Level, text: str, word: str = "") -> None:
        """Add a call-out: something is good, is a problem, or is to be noted.

        A verdict's `word` takes the place of these words, in large letters.
        """
        block = {"kind": "finding", "level": level, "text": text, "word": word}
        self.blocks.append(block)

    def code(self, command: str) -> None:
        """Add a command as it is typed; its line breaks stay."""
        self.blocks.append({"kind": "code", "lines": command.split("\n")})

    def table(self, table: ReportTable, caption: str) -> None:
        """Add a table that its readers may sort; each row begins with its name.

        Numbers, intervals and texts that begin as such sort by value; nothing sorts last.
        """
        self._page.tables += 1
        numeric = [all(map(_is_numeric, column)) for column in zip(*table.rows, strict=True)]
        numeric = numeric or [False] * len(table.columns)
        rows = [[_cell(*pair) for pair in zip(row, numeric, strict=True)] for row in table.rows]
        self._add_table("table", caption, table.columns, numeric, rows)

    def entries(
        self, columns: Sequence[str], entries: Sequence[Entry], caption: str, *, brief: bool = False
    ) -> None:
        """Add a table whose rows have sentences below them; on a phone each row is a card.

        The columns are those of the name, of the word, and of the other cells, which are numbers.
        A brief table is a paragraph a row on the paper of a compact page.
        """
        self._page.tables += 1
        rows = [[_cell(cell, True) for cell in entry.cells] for entry in entries]
        numeric = [False, False, *[True] * (len(columns) - 2)]
        block = self._add_table("entries", caption, columns, numeric, rows)
        block |= {"entries": list(zip(entries, rows, strict=True)), "is_brief": brief}

    def _add_table(
        self,
        kind: str,
        caption: str,
        columns: Sequence[str],
        numeric: Sequence[bool],
        rows: list[list[dict[str, Any]]],
    ) -> dict[str, Any]:
        named = zip(columns, numeric, strict=True)
        block = {
            "kind": kind,
            "number": self._page.tables,
            "id": f"table-{self._page.tables}",
            "caption": caption,
            "columns": [{"name": name, "is_number": number} for name, number in named],
            "rows": rows,
        }
        self.blocks.append(block)
        return block

    def picture(
        self,
        picture: bytes | str | os.PathLike[str],
        alt: str,
        caption: str = "",
        *,
        half: bool = False,
    ) -> None:
        """Add a PNG, JPEG or SVG, given as its bytes or its file, into the page itself.

        Two pictures of half the width stand side by side where there is room.
        """
        data, named = (picture, "a picture") if isinstance(picture, bytes) else _read(picture)
        media, size = _kind(data, named)
        self._page.figures += 1
        self.blocks.append(
            {
                "kind": "picture",
                "number": self._page.figures,
                "media": media,
                "content": base64.b64encode(data).decode("ascii"),
                "size": size,
                "is_large": size is not None and size[0] > LARGE,
                "is_half": half,
                "alt": alt,
                "caption": caption,
            }
        )


def write(path: str | os.PathLike[str], page: Page) -> None:
    """Write a page whole, or not at all."""
    with disk.atomic(path) as file:
        file.write(page.render().encode("utf-8"))


def _template() -> Template:
    """Read the template of a page.

    Whatever it shows is made one line and then escaped; only `Markup` is taken as it is.
    """
    environment = Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: value if isinstance(value, Markup) else one_line(value),
    )
    environment.filters["prose"] = _prose
    return environment.from_string(read_text(TEMPLATE))


def _prose(text: str) -> Markup:
    """Escape a text, set what is between backticks as code, and link to tables of the page."""
    escaped = TO_TABLE.sub(r'<a href="#table-\2">\1</a>', str(escape(one_line(text))))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped))


def _policy(style: str, script: str) -> str:
    hashes = [
        base64.b64encode(hashlib.sha256(part.encode()).digest()).decode("ascii")
        for part in (style, script)
    ]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _cell(cell: Cell, is_number: bool) -> dict[str, Any]:
    """Return what the template shows of a cell: its text, and the number by which it is sorted.

    What follows a number is set in small type below it, so that many columns fit a page.
    """
    text = tables.written(cell)
    match = NUMERIC.fullmatch(text)
    at = match.start(2) if match and match[2] else len(text)
    return {
        "text": text[:at],
        "small": text[at:],
        "value": _value(cell),
        "is_number": is_number,
    }


def _is_numeric(cell: Cell) -> bool:
    """Tell whether a cell fits a column of numbers, as an empty one does."""
    return not isinstance(cell, str) or not cell or NUMERIC.fullmatch(cell) is not None


def _value(cell: Cell) -> str | None:
    """Return the number that a cell is or begins with, as scripts write it."""
    if isinstance(cell, str):
        match = NUMERIC.fullmatch(cell)
        cell = float(match[1].replace(",", "")) if match else None
    value = tables.sorted_by(cell)
    return None if value is None else repr(value).replace("inf", "Infinity")


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
    """Return a picture's media type, and its size where it is in the first bytes."""
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
