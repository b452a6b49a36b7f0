"""TensorBoard: event files in RUN/tensorboard, for `tensorboard --logdir RUN`."""

import os
import shutil
from collections.abc import Mapping
from typing import Any

from cxrtool.files import disk, run_folder

PACKAGES = ("tensorboard",)


class TensorBoardTracker:
    """The event files of one run, written anew at each start."""

    def __init__(self, folder: str, key: str, options: Mapping[str, str]) -> None:
        self.folder = os.path.join(folder, run_folder.EVENTS)
        self.options = options

    def begin(self, rows: list[dict[str, Any]]) -> None:
        """Write the options and the epochs that are done."""
        from torch.utils.tensorboard import SummaryWriter

        if os.path.islink(self.folder):
            os.unlink(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        disk.make_folder(self.folder)
        self.writer = SummaryWriter(self.folder)
        table = "\n".join(f"| {k} | {v} |" for k, v in self.options.items())
        self.writer.add_text("options", f"| option | value |\n|---|---|\n{table}")
        for row in rows:
            self.add(row)

    def add(self, row: dict[str, Any]) -> None:
        """Add an epoch; figures that are not known are left out."""
        for name, value in row.items():
            if name != "epoch" and value is not None:
                self.writer.add_scalar(name, value, row["epoch"])
        self.writer.flush()

    def end(self) -> None:
        """Close the file."""
        self.writer.close()


Tracker = TensorBoardTracker
