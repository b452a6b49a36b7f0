"""Train a run's recipe again on images without the lungs (run + manifest -> predictions).

The images, the manifest, the run and its predictions are kept in DIR/lungs-out, where a stopped
training continues. Controls, on images of which something else is blacked out, have folders of
their own in it.
"""

import os
from collections.abc import Sequence
from dataclasses import replace

from cxrtool.audit import lungs_out_images, run_predictions
from cxrtool.audit.lungs_out_images import CONTROLS, OTHER, ControlImages
from cxrtool.audit.run_predictions import RunWork
from cxrtool.core.progress import note
from cxrtool.files import disk, manifest
from cxrtool.files import run_folder as runs
from cxrtool.files import table as tables
from cxrtool.files.manifest import Manifest
from cxrtool.learn import inference, trainer
from cxrtool.learn.training_settings import TrainingEnvironment, TrainingSettings
from cxrtool.preprocess.pipeline import PicturePass, Row, RowUpdate
from cxrtool.preprocess.segmentation import RowSegmenter, SegmentSettings

FOLDER, IMAGES, TABLE, RUN = "lungs-out", "images", "manifest.csv", "run"
# The table of the images as they were, with the masks that a control uses.
GIVEN = "masks.csv"
# The mask is widened by so many pixels: the rim of the lungs shows what is inside.
WIDER = 5


def predictions(work: RunWork, also: Sequence[str], seed: int) -> dict[str, str]:
    """Black the lungs out, train, and predict the held-out images; then the controls.

    Returns the tables of predictions, that without the lungs first.
    """
    place = os.path.join(work.folder, FOLDER)
    table, rows = _without_lungs(work, place)
    result = {FOLDER: _trained(work, table, place)}
    for control in (name for chosen in also for name in CONTROLS[chosen]):
        note(f"the same training, with another change of the images: {control}")
        own = os.path.join(place, control)
        changed = _changed(work, rows, control, own, seed)
        result[control] = _trained(work, changed, own)
    return result


def _trained(work: RunWork, table: str, place: str) -> str:
    """Train the run's recipe on other images, and predict the held-out ones."""
    again = os.path.join(place, RUN)
    recipe = TrainingSettings(**runs.classifier(work.run).about.options)
    environment = TrainingEnvironment(
        folder=again,
        device=inference.device(work.device),
        cache=work.settings.cache,
        crew=work.settings.crew,
        root=work.settings.root,
        progress=work.when,
    )
    trainer.train(Manifest(table, again=True), recipe, environment, work.skipped)
    return run_predictions.write(replace(work, run=again, manifest=table, where=[], folder=place))


def _without_lungs(work: RunWork, place: str) -> tuple[str, list[Row]]:
    """Write the images without the lungs; return their manifest, and the rows with their masks."""
    images, table = _places(place)
    root = work.settings.root or None
    made = SegmentSettings(images, "lungs", keep="background", dilate=WIDER, root=root)
    source = Manifest(work.manifest, work.where)
    rows: list[Row] = []

    def keep(row: Row, update: RowUpdate) -> None:
        rows.append(row | {"mask": update.cells["mask"]})

    blacking = RowSegmenter(made, scores=False)
    crew, when = work.settings.crew, work.when
    PicturePass(source, blacking, images, crew, when, keep).write(table, work.skipped)
    return table, rows


def _changed(work: RunWork, rows: Sequence[Row], control: str, place: str, seed: int) -> str:
    """Write the images of a control, and return their manifest."""
    images, table = _places(place)
    root = work.settings.root or None
    chosen = lungs_out_images.exchanged(rows, seed) if control == OTHER else list(rows)
    columns = list(chosen[0])
    given = os.path.join(place, GIVEN)
    tables.write(given, columns, ([row.get(c, "") for c in columns] for row in chosen))
    folder = manifest.ImageFolder(images, root)
    change = ControlImages(control, folder, os.path.abspath(root or "."))
    crew, when = work.settings.crew, work.when
    PicturePass(Manifest(given), change, images, crew, when).write(table, work.skipped)
    return table


def _places(place: str) -> tuple[str, str]:
    disk.make_folder(place)
    return os.path.join(place, IMAGES), os.path.join(place, TABLE)
