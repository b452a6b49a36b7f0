"""Find the lungs; keep them, their box, or the rest (manifest -> masks, images, manifest).

--model lungs, the default, is a small U-Net that is part of cxrtool. `threshold` is a classical
method: six times as fast, less accurate. RUN is a model of your own (cxrtool train --task segment).

Outside the lungs an image mostly shows the hospital: markers, borders, devices, shoulders. --keep
lungs makes everything else black. --keep box crops to the lungs. --keep background makes the lungs
black, as a control: a classifier that still works does not use the lungs. --keep mask writes the
mask alone.

In the new manifest `path` is the new image (with --keep mask, the mask itself; cam --mask auto and
audit need no such step) and `mask` the mask that was used, after --dilate.
`lung_fraction` and `mask_flag` describe the mask before --dilate. The flag says why a mask looks
wrong (empty, one lung, touches the border, ...); --where mask_flag= keeps the others. If the
manifest has masks, the columns dice, iou and hd95 (in pixels) compare them with the new ones.

When the command runs again, it skips images that are complete and were made from the same file with
the same options.

Example:

    cxrtool segment eq.csv --keep lungs --blur 3 -d lungs/ -o lungs.csv
    cxrtool segment images.csv --keep box --dilate 6 --margin 0.05 -d boxes/ > boxes.csv
    cxrtool segment images.csv --keep background -d control/ > control.csv
    cxrtool segment images.csv --model runs/lungs --keep mask -d masks/ > masks.csv
    cxrtool equalize images.csv --method hist -d eq/ | cxrtool segment -d lungs/ > lungs.csv
"""

from collections import Counter

import typer

from cxrtool.cli import effects, option_values, options
from cxrtool.commands import _segment_options
from cxrtool.core.progress import note

PLUGINS = _segment_options.PLUGINS
ENDINGS = (".png", "-mask.png", "-lesion.png")


def run(
    context: typer.Context,
    folder: options.Dir,
    manifest: options.Manifest = None,
    model: _segment_options.Model = "lungs",
    keep: _segment_options.Keep = "lungs",
    blur: _segment_options.Blur = "0",
    dilate: _segment_options.Dilate = 0,
    margin: _segment_options.Margin = 0.0,
    bits: options.Bits = "8",
    _list: _segment_options.Listing = False,
    where: options.Where = None,
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
    from cxrtool.files.failures import Failures
    from cxrtool.files.manifest import Manifest, input_or_stdin
    from cxrtool.preprocess import pipeline
    from cxrtool.preprocess.segmentation import RowSegmenter, SegmentSettings

    effects.refuse(context, idle(keep, engine))
    softness = _segment_options.read_blur("--blur", blur)
    settings = SegmentSettings(
        folder, model, keep, softness, dilate, margin, int(bits), root, force
    )
    crew = option_values.crew(jobs, engine)
    source = Manifest(input_or_stdin(manifest), option_values.conditions("--where", where))
    work = RowSegmenter(settings, scores="mask" in source.columns)
    flags = Counter[str]()
    run = pipeline.PicturePass(
        source, work, folder, crew, progress, seen=lambda _, image: count(flags, image.cells)
    )
    if dry_run:
        return run.note_summary()
    skipped = Failures(failures, folder=folder, output=output, strict=strict)
    run.write(output, skipped)
    note_flags(flags)
    raise typer.Exit(skipped.close())


def idle(keep: str, engine: str) -> dict[str, str]:
    """Say why options have no effect."""
    return {
        "--blur": "" if keep in ("lungs", "background") else f"--keep {keep} blacks nothing out",
        "--margin": "" if keep == "box" else f"--keep {keep} cuts no box out",
        "--bits": "--keep mask makes no image but the mask" if keep == "mask" else "",
        "--jobs": option_values.idle_jobs(engine),
    }


def count(flags: Counter[str], cells: dict[str, str]) -> None:
    """Count what is said of a mask."""
    flags.update(reason for reason in cells["mask_flag"].split("; ") if reason)
    flags["\0"] += bool(cells["mask_flag"])


def note_flags(flags: Counter[str]) -> None:
    """Say how many masks look wrong, and how to leave them out."""
    wrong = flags.pop("\0", 0)
    if wrong:
        reasons = ", ".join(f"{reason} {n}" for reason, n in flags.most_common())
        masks = "mask looks" if wrong == 1 else "masks look"
        note(f"{wrong} {masks} wrong: {reasons} (--where mask_flag= leaves them out)")
