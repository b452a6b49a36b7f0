"""MLflow: RUN/mlflow.db, or the server that MLFLOW_TRACKING_URI names."""

import contextlib
import os
import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import run_folder

PACKAGES = ("mlflow", "sqlalchemy", "alembic")
SERVER = "MLFLOW_TRACKING_URI"
EXPERIMENT = "cxrtool"
TAG = "cxrtool.key"


def _is_store(path: str) -> bool:
    """Tell whether a file is a database, and not the beginning of one that was stopped."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as base:
            return bool(base.execute("PRAGMA quick_check").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


class MlflowTracker:
    """One MLflow run for each run of cxrtool; a later start goes on with it."""

    def __init__(self, folder: str, key: str, options: Mapping[str, str]) -> None:
        self.name, self.key, self.options = os.path.abspath(folder), key, options
        self.run: str | None = None
        self.file = os.path.join(self.name, run_folder.MLFLOW)

    def begin(self, rows: list[dict[str, Any]]) -> None:
        """Find or create the run, and add the epochs that it lacks."""
        server = os.environ.get(SERVER)
        if not server and (os.path.islink(self.file) or not _is_store(self.file)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.file)
        try:
            self._open(server or f"sqlite:///{self.file}")
        except Exception as e:
            what = f"{server or self.file}: cannot be opened ({type(e).__name__}: {e})"
            remedy = f"Check {SERVER}." if server else "Delete it, and run the command again."
            raise CxrtoolError(what, remedy) from e
        known = self._last_epoch()
        if self.run is None or known > len(rows):
            self.run, known = self._created(), 0
        for row in rows[known:]:
            self.add(row)

    def _open(self, uri: str) -> None:
        # Nothing is sent anywhere unless the user names a server.
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
        from mlflow.tracking import MlflowClient

        self.client = MlflowClient(tracking_uri=uri)
        experiment = self.client.get_experiment_by_name(EXPERIMENT)
        self.experiment = (
            experiment.experiment_id if experiment else self.client.create_experiment(EXPERIMENT)
        )
        condition = f"tags.`{TAG}` = '{self.key}'"
        found = self.client.search_runs([self.experiment], condition, order_by=["start_time DESC"])
        own = [run.info.run_id for run in found if run.info.run_name == self.name]
        self.run = own[0] if own else None

    def _created(self) -> str:
        made = self.client.create_run(self.experiment, tags={TAG: self.key}, run_name=self.name)
        for name, value in self.options.items():
            self.client.log_param(made.info.run_id, name, value)
        return str(made.info.run_id)

    def _last_epoch(self) -> int:
        """Return the last epoch that the run has in full: `seconds` is written with all others."""
        if self.run is None:
            return 0
        steps = [m.step for m in self.client.get_metric_history(self.run, "seconds")]
        return max(steps, default=0)

    def add(self, row: dict[str, Any]) -> None:
        """Add an epoch at once; figures that are not known are left out."""
        import time

        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        figures = [
            Metric(name, value, now, row["epoch"])
            for name, value in row.items()
            if name != "epoch" and value is not None
        ]
        self.client.log_batch(self.run, metrics=figures)

    def end(self) -> None:
        """Mark the run as finished."""
        self.client.set_terminated(self.run)


Tracker = MlflowTracker
