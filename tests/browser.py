"""What reads a report in tests: a headless browser, and a reader that finds every mistake."""

import html
import re
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "figures"))

from test_html_page import Browser, browser, check

__all__ = ["Browser", "browser", "check", "tables"]


def tables(page: str) -> dict[str, list[list[str]]]:
    """Take the tables of a page by their captions: the cells of all rows, the head first."""
    found = {}
    for part in re.findall(r'<figure class="table">(.*?)</figure>', page, re.S):
        caption = html.unescape(re.search(r"</b> (.*?)</figcaption>", part, re.S)[1])
        rows = re.findall(r"<tr>(.*?)</tr>", part, re.S)
        cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
        found[caption] = [
            [html.unescape(re.sub("<[^>]*>", "", cell)) for cell in row] for row in cells
        ]
    return found
