"""What to do about a path that is no table: a folder, a run (path -> remedy)."""

import os
import shlex

RECORD = "run.json"


def of_folder(path: str) -> str:
    """Say how a folder becomes a table."""
    if os.path.isfile(os.path.join(path, RECORD)):
        predict = f"cxrtool evaluate {shlex.quote(path)} MANIFEST -o predictions.csv"
        return f"It is a run, which makes a table of predictions: {predict}"
    return "Make a manifest of it first: cxrtool ingest FOLDER -o FILE.csv"
