"""Lists as they are typed: entries separated by commas."""

import re

# An entry in quotation marks, in which a doubled one means one, or what reaches to a comma.
_ENTRY = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))(,|$)')


def split(text: str) -> list[str]:
    """Split a list at its commas; blanks around an entry do not belong to it.

    An entry with a comma or with blanks of its own is written in quotation marks, as in a CSV file.

    >>> split('PA, AP Supine ,"a, b",')
    ['PA', 'AP Supine', 'a, b', '']
    """
    entries = []
    for entry in _ENTRY.finditer(text):
        quoted, plain, comma = entry.groups()
        entries.append(plain.strip() if quoted is None else quoted.replace('""', '"'))
        if not comma:
            break
    return entries
