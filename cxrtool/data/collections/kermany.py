"""Paediatric pneumonia (Kermany et al., 2018): train/, val/ and test/ of NORMAL/ and PNEUMONIA/.

The classes are `normal`, `bacteria` and `virus`, read from the file's name (`pneumonia` where it
names neither); `finding` is the folder, `folder` the published part. `patient` is what the name
says: `person1000` (whose bacteria and virus images count as one person's), `IM-0115`,
`NORMAL2-IM-1427` (another series, whose numbers overlap), or the number in `VIRUS-40699-0001`, as
the release on Mendeley Data has it. The numbers of test/ also occur in train/. The archive on
Kaggle holds the images twice; second copies are left out.
Source: https://data.mendeley.com/datasets/rscbjbr9sj
"""

import os
import re
from collections.abc import Iterator

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.files.tree import images

PARTS = ("train", "val", "test")
CLASSES = ("NORMAL", "PNEUMONIA")

_NAME = re.compile(
    r"(?P<person>person\d+)_(?P<cause>bacteria|virus)_"
    r"|(?P<series>(?:NORMAL2-)?IM-\d+)-"
    r"|(?:NORMAL|(?P<kind>BACTERIA|VIRUS))-(?P<number>\d+)-",
)


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image in a folder of a class."""
    seen: dict[tuple[str, ...], str] = {}
    for path in images(root):
        if isinstance(path, Skip):
            yield path
            continue
        part, finding, name = ("", *os.path.abspath(path).split(os.sep))[-3:]
        if finding.upper() not in CLASSES:
            yield Skip(path, "not in a folder NORMAL or PNEUMONIA", failed=False)
        elif (first := seen.setdefault((part, finding, name), path)) != path:
            yield Skip(path, f"a second copy of {first}", failed=False)
        else:
            yield {"path": path, **_row(part, finding, name)}
    if not seen:
        what = f"{root}: no images in train/NORMAL/, train/PNEUMONIA/, test/NORMAL/ and so on"
        raise CxrtoolError(what, "Name the folder chest_xray/.")


def _row(part: str, finding: str, name: str) -> dict[str, str]:
    match = _NAME.match(name)
    parts = match.groupdict("") if match else {}
    cause = parts.get("cause") or parts.get("kind", "").lower()
    return {
        "label": "normal" if finding.upper() == "NORMAL" else cause or "pneumonia",
        "patient": parts.get("person") or parts.get("series") or parts.get("number", ""),
        "finding": finding,
        "folder": part if part in PARTS else "",
    }
