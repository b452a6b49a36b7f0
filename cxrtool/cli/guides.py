"""The guides: generated tables put into their pages, and each page as a man page of section 7."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from cxrtool.core.errors import CxrtoolError

MARK = re.compile(r"<!-- (?!end of )(.+?) -->\n(.*?)<!-- end of \1 -->", re.DOTALL)
ANY_MARK = re.compile(r"<!-- (?:end of )?(.+?) -->")
# What a paragraph may hold, and how man shows it; links keep their text.
INLINE = (
    (re.compile(r"!?\[(.+?)\]\(.+?\)"), r"\1"),
    (re.compile(r"\*\*(.+?)\*\*"), r"\\fB\1\\fR"),
    (re.compile(r"`([^`]+)`"), r"\\fB\1\\fR"),
    (re.compile(r"(?<![\w*])\*([^*\s](?:[^*]*[^*\s])?)\*(?![\w*])"), r"\\fI\1\\fR"),
)


def filled(pages: Mapping[str, str], tables: Mapping[str, list[str]]) -> dict[str, str]:
    """Put each generated table between its marks; every table has one place in all the pages."""
    used: Counter[str] = Counter()

    def table(mark: re.Match[str]) -> str:
        used[mark[1]] += 1
        lines = "".join(f"{line}\n" for line in tables.get(mark[1], ()))
        return f"<!-- {mark[1]} -->\n{lines}<!-- end of {mark[1]} -->"

    result = {name: MARK.sub(table, text) for name, text in pages.items()}
    written = Counter(mark for text in pages.values() for mark in ANY_MARK.findall(text))
    for name in sorted({*tables, *written}):
        if (used[name], written[name], name in tables) != (1, 2, True):
            what = f"the guides have the marks of the table '{name}' {written[name]} times"
            raise CxrtoolError(what, "Write <!-- NAME --> and <!-- end of NAME --> once.")
    return result


def title(markdown: str) -> str:
    """Return the heading of a page."""
    return markdown.partition("\n")[0].removeprefix("# ")


def man_page(name: str, markdown: str, version: str) -> str:
    """Write a guide as a man page of section 7."""
    lines = [
        f'.TH CXRTOOL\\-{name.upper()} 7 "" "cxrtool {version}" "cxrtool manual"',
        f".SH NAME\ncxrtool\\-{name} \\- {_escaped(title(markdown))}",
        ".SH DESCRIPTION",
    ]
    for block in _blocks(markdown.partition("\n")[2]):
        lines += _roff(block)
    notes = ".SH SEE ALSO\n.BR cxrtool (1)\n.SH NOTES\nResearch software, not a medical device."
    return "\n".join([*lines, notes]) + "\n"


def _blocks(text: str) -> Iterator[list[str]]:
    """Yield paragraphs, lists, tables and code, a list of lines each."""
    block: list[str] = []
    fenced = False
    for line in text.split("\n"):
        if line.startswith("```"):
            fenced = not fenced
            if not fenced:
                yield ["```", *block]
            elif block:
                yield block
            block = []
        elif fenced or line.strip():
            if not ANY_MARK.fullmatch(line):
                block.append(line)
        elif block and block[0].startswith("    "):
            block.append("")  # Indented code goes on after a blank line, or ends.
        elif block:
            yield block
            block = []
        is_code = bool(block) and block[0].startswith("    ")
        if is_code and not fenced and line.strip() and not line.startswith("    "):
            yield block[:-1]
            block = [line]
    if block:
        yield block


def _roff(block: list[str]) -> list[str]:
    first = block[0]
    if first.startswith("#"):
        level, _, heading = first.partition(" ")
        rest = _roff(block[1:]) if block[1:] else []
        return [f".{'SH' if level == '##' else 'SS'} {_escaped(heading)}", *rest]
    if first == "```" or first.startswith("    "):
        code = block[1:] if first == "```" else [line[4:] for line in block]
        return [
            ".PP",
            ".RS 4",
            ".nf",
            *map(_code, "\n".join(code).rstrip().split("\n")),
            ".fi",
            ".RE",
        ]
    if first.startswith("|"):
        return _table([_cells(line) for line in block])
    if first.startswith("!["):
        return []
    if re.match(r"- |\d+\. ", first):
        items = re.split(r"\n(?=- |\d+\. )", "\n".join(block))
        parts = [item.split(" ", 1) for item in items]
        return [
            part
            for mark, text in parts
            for part in (
                f".IP {'' if mark[0].isdigit() else chr(92) + '(bu'}{mark * mark[0].isdigit()} 3",
                _escaped(text),
            )
        ]
    return [".PP", _escaped("\n".join(block))]


def _cells(line: str) -> list[str]:
    return [
        cell.strip()
        for cell in re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
    ]


def _table(rows: list[list[str]]) -> list[str]:
    """Write a table as a list: man's pages are too narrow for most tables."""
    (name, *heads), _, *body = rows
    # What the rows are; of two columns also what is said of them, which is not repeated in each.
    shown = [name, *heads] if len(heads) == 1 else [name]
    lines = [".PP", f"\\fI{_escaped(': '.join(filter(None, shown)))}\\fR"] if any(shown) else []
    for first, *others in body:
        lines += [".TP", f"\\fB{_escaped(first.replace('`', '').replace('**', ''))}\\fR"]
        cells = [(head, cell) for head, cell in zip(heads, others, strict=True) if cell.strip()]
        named = [f"{head}: {cell}" if len(heads) > 1 else cell for head, cell in cells]
        lines += [_escaped(";\n".join(named)) or "\\&"]
    return lines


def _code(line: str) -> str:
    return _guarded(line.replace("\\", "\\e").replace("-", "\\-"))


def _escaped(text: str) -> str:
    """Escape a paragraph for man, with its bold and slanted words."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    for pattern, shown in INLINE:
        text = pattern.sub(shown, text)
    return "\n".join(_guarded(line.strip()) for line in text.split("\n"))


def _guarded(line: str) -> str:
    """Keep a line from being taken for a request."""
    return f"\\&{line}" if line[:1] in (".", "'") else line
