"""Options that were renamed: their old names still work in this version, with a note."""

from collections.abc import Sequence

OLD_NAMES = {
    "cam": {"--threshold": "--outline"},
    "compare": {"--test": "--paired-test", "--plot": "--plots"},
    "evaluate": {"--test": "--test-name"},
    "recipe": {"--check": "--missing"},
}


def replaced(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the arguments with the options' names of today, and a note for each old name."""
    words, notes = list(arguments), []
    verb = next((word for word in words if word in OLD_NAMES), "")
    start = words.index(verb) + 1 if verb else len(words)
    for place in range(start, len(words)):
        if words[place] == "--":
            break
        option, equals, value = words[place].partition("=")
        if new := OLD_NAMES[verb].get(option):
            words[place] = new + equals + value
            notes.append(f"{option} is now {new}; the old name works in this version only")
    return words, notes
