"""Put a recipe together: its own lines, and the shared parts that it includes.

A line `# include: NAME ...` stands for the text of _NAME.sh. Of a part, the script gets the lines
outside functions, and of the functions and variables those that it uses. The result needs no other
file.
"""

import re
from collections.abc import Callable

FIELD = re.compile(r"# (\w+): (.+)")
CONTINUED = "#   "
INCLUDE = re.compile(r"^# include: (.+)\n", re.MULTILINE)
# A function or a variable of a part: one block between blank lines, with comments above it.
NAMED = re.compile(r"(?:#.*\n)*(\w+)(?:\(\) \{.*\}|=[^\n]*)", re.DOTALL)
WORD = re.compile(r"[\w-]+")


def header(script: str) -> dict[str, str]:
    """Read the fields at the top of a script; a line that is indented goes on with the last."""
    fields: dict[str, str] = {}
    last = ""
    for line in script.splitlines()[1:]:
        if match := FIELD.fullmatch(line):
            last = match[1]
            fields[last] = match[2]
        elif last and line.startswith(CONTINUED):
            fields[last] += " " + line.removeprefix(CONTINUED)
        else:
            break
    return fields


def assembled(script: str, part: Callable[[str], str]) -> str:
    """Fill in the parts that a script includes; `part` returns the text of _NAME.sh."""
    match = INCLUDE.search(script)
    if match is None:
        return script
    text = "\n".join(part("_" + name) for name in match[1].split())
    for field, value in header(script).items():
        text = text.replace(f"@{field}@", value)
    before, after = script[: match.start()], script[match.end() :]
    return before + _used(text, after).rstrip("\n") + "\n\n" + after


def _used(text: str, script: str) -> str:
    """Leave out the functions and variables that nothing uses."""
    wanted, blocks = _words(script), text.split("\n\n")
    named = [(block, NAMED.fullmatch(block.strip("\n")), _words(block)) for block in blocks]
    while True:
        kept = [
            (block, name, words)
            for block, name, words in named
            if name is None
            or name[1] in wanted.union(*(w for other, _, w in named if other is not block))
        ]
        if len(kept) == len(named):
            return "\n\n".join(block for block, _, _ in kept)
        named = kept


def _words(text: str) -> set[str]:
    """Return the words of a script without its comments: whole lines, and behind a brace."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {word for line in lines for word in WORD.findall(line.partition("{ # ")[0])}
