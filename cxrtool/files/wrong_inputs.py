"""What to do about a path that is no table: a folder, a run, two files (path -> remedy)."""

import os
import shlex

RECORD = "run.json"


def of_folder(path: str) -> str:
    """Say how a folder becomes a table."""
    if os.path.isfile(os.path.join(path, RECORD)):
        predict = f"cxrtool evaluate {shlex.quote(path)} MANIFEST -o predictions.csv"
        return f"It is a run, which makes a table of predictions: {predict}"
    return "Make a manifest of it first: cxrtool ingest FOLDER -o FILE.csv"


def of_path(path: str) -> str:
    """Say what may be wrong with a path that leads nowhere."""
    parts = path.split(",")
    if parts[1:] and all(map(os.path.isfile, parts)):
        return f"Files are separated by blanks: {shlex.join(parts)}."
    return "Check the path."
