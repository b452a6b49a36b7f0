"""Train a run's recipe again on images without the lungs (run + manifest -> predictions).

The images, the manifest, the run and its predictions are kept in DIR/lungs-out, where a stopped
training continues.
"""

import os
from dataclasses import replace

from cxrtool.audit import run_predictions
from cxrtool.audit.run_predictions import RunWork
from cxrtool.files import disk
from cxrtool.files import run_folder as runs
from cxrtool.files.manifest import Manifest
from cxrtool.learn import inference, trainer
from cxrtool.learn.training_settings import TrainingEnvironment, TrainingSettings
from cxrtool.preprocess.pipeline import PicturePass
from cxrtool.preprocess.segmentation import RowSegmenter, SegmentSettings

FOLDER, IMAGES, TABLE, RUN = "lungs-out", "images", "manifest.csv", "run"
# The mask is widened by so many pixels: the rim of the lungs shows what is inside.
WIDER = 5


def predictions(work: RunWork) -> str:
    """Black the lungs out, train, and predict the held-out images: the table of predictions."""
    place = os.path.join(work.folder, FOLDER)
    disk.make_folder(place)
    table = _images(work, place)
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


def _images(work: RunWork, place: str) -> str:
    """Write the images without the lungs, and return their manifest."""
    images, table = os.path.join(place, IMAGES), os.path.join(place, TABLE)
    root = work.settings.root or None
    made = SegmentSettings(images, "lungs", keep="background", dilate=WIDER, root=root)
    source = Manifest(work.manifest, work.where)
    blacking = RowSegmenter(made, scores=False)
    PicturePass(source, blacking, images, work.settings.crew, work.when).write(table, work.skipped)
    return table
