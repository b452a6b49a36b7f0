"""Read images and their metadata into one manifest (files -> manifest).

A PATH is a folder with one subfolder per class, the folder of a published collection (--preset), a
folder described by a metadata CSV (--metadata), an image or DICOM file, or a manifest. Several
manifests are joined, and duplicates are searched across them.

With --metadata, columns that have the name of a manifest column are used as they are; --column
renames others. If the table has no label, the subfolder's name is the label.

Images that show the same picture get the same value in `dup_group`: identical files, and altered
copies that a comparison of the pixels confirms. At least 99 % of copies are found if only contrast,
text or a border changed, if the image was mirrored or inverted, cropped by up to 7 % on each side,
or rotated by up to 3 degrees. Larger crops and rotations are found less often.

A warning is given if a class occurs in one source only, or if source, file format or image size
alone predict the label (AUC above 0.9 by patient, lower bound of the 95 % interval above 0.8).

From a DICOM header only view, sex, age and a keyed pseudonym of the patient are used. Ages over 89
years become 90+ unless --exact-age is given. Files that are left out are listed in failures.csv
with the reason.

CT slices in DICOM have the window of their header, and 16-bit images of CT are spread from their
darkest to their brightest value. With --convert, --window lung shows the same Hounsfield units in
all of them (-1350 to 150). A 16-bit image without negative values is read as units + 1024.

--cap reads a part of a large collection: label=1000 at most 1000 images per label, normal=3000 at
most 3000 normal ones. Images are chosen before they are read, at random (--seed), patient after
patient. Images that then cannot be read are not replaced.

Example:

    cxrtool ingest images/ -o images.csv
    cxrtool ingest cohen/ --preset cohen --view PA,AP --map-label 'COVID-19*=covid' > cohen.csv
    cxrtool ingest scans/ --metadata scans.csv --column finding=label,patientid=patient > scans.csv
    cxrtool ingest nih/ --preset nih --cap label=1000 -o nih.csv
    cxrtool ingest cohen.csv nih.csv -o both.csv
    cxrtool ingest ct/ --convert png/ --window lung -o ct.csv
"""

from collections import Counter
from typing import TYPE_CHECKING

import typer

from cxrtool.cli import effects, option_values, options
from cxrtool.commands import _ingest_options
from cxrtool.core import parallel
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from cxrtool.data.measurement import MeasurementSettings
    from cxrtool.data.packed_rows import PackedRows
    from cxrtool.data.sources import Selection
    from cxrtool.files.failures import Failures

PLUGINS = _ingest_options.PLUGINS


def run(
    context: typer.Context,
    paths: _ingest_options.Paths = None,
    preset: _ingest_options.Preset = None,
    metadata: _ingest_options.Metadata = None,
    column: _ingest_options.Column = None,
    map_label: _ingest_options.MapLabel = None,
    source: _ingest_options.Source = None,
    view: _ingest_options.View = None,
    cap: _ingest_options.Cap = None,
    convert: _ingest_options.Convert = None,
    window: _ingest_options.Window = None,
    join_masks: _ingest_options.JoinMasks = None,
    bits: options.Bits = "8",
    key: _ingest_options.Key = None,
    exact_age: _ingest_options.ExactAge = False,
    _list: _ingest_options.Listing = False,
    seed: options.Seed = 0,
    root: options.Root = None,
    jobs: options.Jobs = "auto",
    engine: options.Engine = "local",
    output: options.Output = "-",
    failures: options.Failures = None,
    dry_run: options.DryRun = False,
    force: options.Force = False,
    strict: options.Strict = False,
    progress: options.Progress = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    if engine == "local" and not dry_run and not all(path.endswith(".csv") for path in paths or ()):
        parallel.prepare("cxrtool.data.measurement")
    from cxrtool.data import ingestion, measurement, row_cap, sources
    from cxrtool.files import disk, hounsfield, manifest, pseudonyms, table
    from cxrtool.files.failures import Failures
    from cxrtool.stats import label_traps

    if not paths:
        raise CxrtoolError("no PATH", "Name a folder, for example: cxrtool ingest images/.")
    effects.refuse(context, idle(metadata, convert, join_masks, engine, cap))
    crew = option_values.crew(jobs, engine)
    selection = sources.Selection(
        preset=preset,
        metadata=metadata,
        columns=[
            option_values.pair("--column", c)
            for c in option_values.entries("--column", *column or ())
        ],
        labels=[option_values.pair("--map-label", m, empty=True) for m in map_label or ()],
        source=source,
        views=frozenset(v.upper() for v in option_values.entries("--view", *view or ())),
        root=root,
        exact_age=exact_age,
    )
    disk.check_output(output)
    skipped = Failures(failures, folder=convert, output=output, strict=strict)
    rows = ingestion.collect(paths, selection, skipped)
    images = manifest.ImageFolder(convert, root) if convert else None
    masks = manifest.ImageFolder(join_masks, root) if join_masks else images
    settings = measurement.MeasurementSettings(
        images, masks, int(bits), force, root, hounsfield.window_of(window) if window else None
    )
    effects.refuse(context, idle_with_rows(rows, selection, settings, bool(join_masks), bool(key)))
    if cap:
        caps = [option_values.count("--cap", text) for text in option_values.entries("--cap", *cap)]
        rows = row_cap.capped(rows, caps, seed, skipped)
    if dry_run:
        note_rows(rows, skipped)
        return
    pseudonym = pseudonyms.by_key(key)
    for folder in filter(None, (convert, join_masks)):
        disk.make_folder(folder)
    measured = ingestion.measure(rows, selection, settings, pseudonym, skipped, crew, progress)
    table.write(output, measured.columns, measured.rows())
    measured.summary.note_counts(selection.views, joins=settings.masks is not None)
    if warning := label_traps.warning_of_images(label_traps.of_rows(measured.label_columns)):
        note(warning)
    raise typer.Exit(skipped.close())


def idle(
    metadata: str | None,
    convert: str | None,
    join_masks: str | None,
    engine: str,
    cap: list[str] | None,
) -> dict[str, str]:
    """Say why options have no effect."""
    no_files = "" if convert else "without --convert no image is written"
    return {
        "--preset": "--metadata describes the images" if metadata else "",
        "--column": "" if metadata else "there is no --metadata",
        "--bits": no_files,
        "--window": no_files,
        "--force": "" if join_masks else no_files,
        "--seed": "" if cap else "without --cap nothing is chosen at random",
        "--jobs": option_values.idle_jobs(engine),
    }


def idle_with_rows(
    rows: "PackedRows",
    selection: "Selection",
    settings: "MeasurementSettings",
    joins: bool,
    keyed: bool,
) -> dict[str, str]:
    """Say why options have no effect on these rows, which are looked at only where one is given."""
    from cxrtool.data import ingestion, measurement

    masked = joins and any(map(measurement.has_mask_to_make, rows))
    read = keyed and ingestion.unmeasured(rows, settings)
    return {
        "--source": "" if selection.named else "all rows of the manifests have a source",
        "--join-masks": "" if masked else "no image has a mask of each lung, or boxes of a lesion",
        "--key": "" if read else "all images of the manifests are measured, and none is read",
    }


def note_rows(rows: "PackedRows", skipped: "Failures") -> None:
    """Say what would be read."""
    skipped.note_counts()
    for column in ("source", "label", "view"):
        count = Counter(r.get(column) or "(unknown)" for r in rows)
        note(f"{column}: " + ", ".join(f"{value} {n}" for value, n in count.most_common(12)))
    note(f"would read {len(rows)} images")
