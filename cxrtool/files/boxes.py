"""A table of boxes on images: columns path, x, y, width and height, in pixels of the image."""

from collections import defaultdict
from typing import NamedTuple

from cxrtool.files.table import Table

COLUMNS = ("x", "y", "width", "height")


class Box(NamedTuple):
    """A rectangle of pixels."""

    x: int
    y: int
    width: int
    height: int


def read(path: str) -> dict[str, list[Box]]:
    """Read the boxes of every image; an image may have several."""
    table = Table(path)
    named = table.index("path", "It needs path, x, y, width and height, in pixels of the image.")
    places = [table.index(c) for c in COLUMNS]
    boxes = defaultdict(list)
    for number, row in table.numbered():
        try:
            box = Box(*(int(row[i]) for i in places))
        except ValueError:
            box = Box(0, 0, 0, 0)
        if box.width < 1 or box.height < 1:
            cells = ",".join(row[i] for i in places)
            what = f"x,y,width,height are '{cells}', not whole pixels of a box"
            raise table.error(number, what, "Correct the row.")
        boxes[row[named]].append(box)
    return dict(boxes)
