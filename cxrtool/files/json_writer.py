"""Write JSON files that people read, too (object -> file)."""

import json
from collections.abc import Mapping
from typing import Any

from cxrtool.files import disk


def write(path: str, value: Mapping[str, Any]) -> None:
    """Write an object as JSON, a line for each member."""
    with disk.atomic(path) as file:
        text = json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False)
        file.write(text.encode() + b"\n")
