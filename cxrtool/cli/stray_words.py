"""Words that stand apart from the list that they belong to: `--matrix train test`."""

import os
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

# How the metavar of an option shows that it takes a list, and that this is no list of names.
LISTS, SPEC = ("[,", "ROWS,COLUMNS"), ":"
EQUALS = ("=", "!=", "==")


def remedy(said: str, command: Any, words: Sequence[str]) -> str:
    """Say how a list is written, of an error about a word behind one; empty of other errors."""
    for parameter, option, (first, *rest) in _split_lists(command, words):
        is_named = any(said.startswith((f"{word}: ", f"'{word}'")) for word in rest)
        is_cut = _is_condition(first, rest) and said.startswith(f"{option} '{first}'")
        # With a blank behind a comma, the last entry is empty.
        is_cut |= first.endswith(",") and said.startswith((f"{option} ''", f"{option} '{first}'"))
        if is_named or is_cut or "unexpected extra argument" in said:
            return _joined(parameter, option, first, rest)
    return ""


def _split_lists(command: Any, words: Sequence[str]) -> Iterator[tuple[Any, str, list[str]]]:
    """Yield each option that takes a list, as typed, with its value and the words behind it."""
    options = {
        name: parameter
        for parameter in command.params
        for name in parameter.opts
        if _takes_list(getattr(parameter, "metavar", None) or "")
    }
    last = list(words).index("--") if "--" in words else len(words)
    for at, word in enumerate(words[:last]):
        option, equals, value = word.partition("=")
        if option in options:
            behind = [value, *words[at + 1 : last]] if equals else list(words[at + 1 : last])
            texts = behind[:1]
            for text in behind[1:]:
                if not _is_stray(text):
                    break
                texts.append(text)
            if texts[1:]:
                yield options[option], option, texts


def _takes_list(metavar: str) -> bool:
    return any(sign in metavar for sign in LISTS) and SPEC not in metavar


def _is_stray(word: str) -> bool:
    """Whether a word is neither an option nor a file, nor seems to be meant as one."""
    ending = os.path.splitext(word)[1][1:]
    is_file = os.sep in word or (ending and not ending.isdecimal()) or os.path.lexists(word)
    return bool(word) and not word.startswith("-") and not is_file


def _is_condition(first: str, rest: Sequence[str]) -> bool:
    """Whether the words are a condition with blanks around its sign."""
    return bool({*rest} & {*EQUALS}) or first.endswith("=") or rest[0].startswith(EQUALS)


def _joined(parameter: Any, option: str, first: str, rest: Sequence[str]) -> str:
    if _is_condition(first, rest):
        return f"Write a condition without blanks: {option} {_condition([first, *rest])}."
    first, *rest = [word.strip(",") for word in (first, *rest)]
    if names := _closed_names(parameter):
        known = list(takewhile(names.__contains__, rest))
        listed = ",".join([first, *known])
        commas = "The values of a list are separated by commas, without blanks"
        return f"{commas}: {option} {listed}." if known else ""
    listed, words = ",".join([first, *rest]), ", ".join(f"'{word}'" for word in rest)
    if rest[1:]:
        files, values = "are files, check their paths", "they are values"
    else:
        files, values = "is a file, check its path", "it is a value"
    return f"If {words} {files}; if {values} of {option}, write {option} {listed}."


def _condition(words: Sequence[str]) -> str:
    """Join a condition to the end of its value, with one sign in place of two."""
    text = ""
    for word in words:
        text += word
        if re.search("=[^=]", text):
            break
    return re.sub("=+", "=", text, count=1)


def _closed_names(parameter: Any) -> list[str]:
    """Return the names that a list is of; nothing where it may have others, too."""
    if {*parameter.metavar} & {*"|="}:
        return []
    return [c.value for c in parameter.shell_complete(None, "")]
