"""Predict the held-out images of a manifest with a run (run + manifest -> predictions.csv)."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cxrtool.audit.case import HELD_OUT
from cxrtool.core.parallel import Crew
from cxrtool.core.progress import bar, note
from cxrtool.files import predictions, table
from cxrtool.files import run_folder as runs
from cxrtool.files.failures import Failures
from cxrtool.files.manifest import Manifest, Where
from cxrtool.learn import inference, prediction
from cxrtool.learn.prediction import PredictionSettings, Row
from cxrtool.learn.prediction_judge import Judge

TABLE = "predictions.csv"


@dataclass(frozen=True)
class RunWork:
    """What a run is to do: on which images, how, and where its files go."""

    run: str
    manifest: str
    where: Sequence[Where]
    folder: str
    settings: PredictionSettings
    device: str
    skipped: Failures
    when: str  # progress is shown

    def there(self, crew: Crew) -> "RunWork":
        """Let the workers of a cluster do it, each with its device."""
        settings = replace(self.settings, crew=crew, remote=self.device)
        return replace(self, settings=settings, device="cpu")


def write(work: RunWork) -> str:
    """Write the predictions into the folder, and return their path.

    Held-out are the parts test and unseen; without them, all images are predicted.
    """
    model = inference.Model(runs.classifier(work.run), inference.device(work.device))
    predictor = prediction.Predictor([model], None, work.settings)
    rows = list(_held_out(work.manifest, work.where))
    pairs = prediction.predicted(rows, predictor, work.skipped.add)
    shown = bar(pairs, len(rows), "images predicted", work.when)
    columns = predictions.columns(predictor.classes)
    decided = prediction.decided(shown, predictor, None, Judge(predictor.classes))
    path = os.path.join(work.folder, TABLE)
    table.write(path, columns, ([row.get(name, "") for name in columns] for row in decided))
    return path


def _held_out(manifest: str, where: Sequence[Where]) -> Iterator[Row]:
    source = Manifest(manifest, where)
    rows = [dict(zip(source.columns, cells, strict=True)) for cells in source.rows()]
    chosen = [row for row in rows if row.get("split") in HELD_OUT]
    if not chosen:
        note("no image is of the part test or unseen: all are predicted, seen ones too")
    yield from chosen or rows
