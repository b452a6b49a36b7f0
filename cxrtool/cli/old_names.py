"""Options and values that were renamed: the old ones still work in this version, with a note."""

from collections.abc import Sequence

OLD_NAMES = {
    "cam": {"--threshold": "--outline"},
    "compare": {"--test": "--paired-test", "--plot": "--plots"},
    "evaluate": {"--test": "--test-name"},
    "recipe": {"--check": "--missing"},
}
# Values that became an option of their own.
OLD_VALUES = {"compare": {("--published", "list"): "--list"}}
# 0 meant "what is usual" of some options, and "none" or "all" of others.
OLD_ZEROS = {
    "equalize": {"--size": "none"},
    "train": {"--size": "auto", "--channels": "auto", "--patience": "none", "--clip": "none"},
    "tsne": {"--pca": "all"},
}
OLD_ZEROS_EVERYWHERE = {"--jobs": "auto", "-j": "auto"}


def replaced(verb: str, arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the arguments of a command in the words of today, and a note for each old one."""
    words, notes = list(arguments), []
    names = OLD_NAMES.get(verb, {})
    zeros = OLD_ZEROS_EVERYWHERE | OLD_ZEROS.get(verb, {})
    last = words.index("--") if "--" in words else len(words)
    for place in range(last):
        option, equals, value = words[place].partition("=")
        if new := names.get(option):
            words[place] = new + equals + value
            notes.append(f"{option} is now {new}; the old name works in this version only")
            continue
        at, given = (place, value) if equals else (place + 1, "".join(words[place + 1 : place + 2]))
        if new := OLD_VALUES.get(verb, {}).get((option, given)):
            words[place : at + 1] = [new] * (at + 1 - place)
            notes.append(f"{option} {given} is now {new}")
        elif option in zeros and at < last and _is_zero(given):
            meaning = zeros[option]
            words[at] = f"{option}={meaning}" if equals else meaning
            notes.append(f"{option} {given} is now {option} {meaning}")
    return words, notes


def _is_zero(text: str) -> bool:
    return bool(text) and not text.strip("0.") and text[0] == "0"
