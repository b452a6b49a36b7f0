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

    @property
    def area(self) -> int:
        """The number of its pixels."""
        return self.width * self.height

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns in an image."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def grown(self, by: int) -> "Box":
        """Move every side out by so many pixels."""
        return Box(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def clipped(self, shape: tuple[int, ...]) -> "Box":
        """Cut off what is outside an image of a shape."""
        left, top = min(max(self.x, 0), shape[1]), min(max(self.y, 0), shape[0])
        right = max(left, min(self.x + self.width, shape[1]))
        bottom = max(top, min(self.y + self.height, shape[0]))
        return Box(left, top, right - left, bottom - top)

    def holds(self, other: "Box") -> bool:
        """Whether another box is inside this one."""
        right, bottom = other.x + other.width, other.y + other.height
        across = self.x <= other.x and right <= self.x + self.width
        return across and self.y <= other.y and bottom <= self.y + self.height


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
