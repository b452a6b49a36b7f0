"""Find the lungs; keep them, their box, or the rest (manifest -> masks, images, manifest).

--model lungs, the default, is a small U-Net that is part of cxrtool. `threshold` is a classical
method: six times as fast, less accurate. RUN is a model of your own (cxrtool train --task segment).

Outside the lungs an image mostly shows the hospital: markers, borders, devices, shoulders. --keep
lungs makes everything else black. --keep box crops to the lungs. --keep background makes the lungs
black, as a control: a classifier that still works does not use the lungs. --keep mask writes the
mask alone.

In the new manifest `path` is the new image and `mask` the mask that was used, after --dilate.
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
from typing import Annotated

import typer

from cxrtool.cli import effects, options
from cxrtool.cli.file_roles import Role
from cxrtool.core import choices, registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

PLUGINS = ("segmenters", "segment")
ENDINGS = (".png", "-mask.png", "-lesion.png")
WIDEST = 100  # Wider is no edge any more, and takes seconds.


def read_blur(option: str, text: str) -> tuple[str, float]:
    """Read `3` or `box:3`."""
    kind, colon, pixels = text.rpartition(":")
    kind = kind if colon else choices.BLURS[0]
    registry.choose(option, kind, choices.BLURS)
    try:
        width = float(pixels)
    except ValueError:
        width = -1.0
    if not 0 <= width <= WIDEST or (kind == "box" and width % 1):
        what = f"{option} '{text}' is no width in pixels from 0 to {WIDEST}"
        raise CxrtoolError(what, "Write it as 3, gaussian:3 or box:3.")
    return kind, width


def run(
    context: typer.Context,
    folder: options.Dir,
    manifest: options.Manifest = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="NAME[:KEY=VALUE,...]|RUN",
            help="Segmentation method, see --list, or the folder of a run.",
            **options.spec(*PLUGINS, or_folder=True),
        ),
        Role.READS,
    ] = "lungs",
    keep: Annotated[
        str,
        typer.Option(
            "--keep",
            metavar="NAME",
            help="What the images keep: lungs, background, box or mask.",
            **options.choice(choices.KEEP),
        ),
    ] = "lungs",
    blur: Annotated[
        str,
        typer.Option(
            "--blur",
            metavar="[gaussian:|box:]PX",
            help="Blur the edge of the mask: with a Gaussian of sigma PX, or a box of radius PX.",
            **options.checked(choices.BLURS, read_blur),
        ),
    ] = "0",
    dilate: Annotated[
        int,
        typer.Option(
            "--dilate", metavar="PX", min=0, max=1000, help="Widen the mask by this many pixels."
        ),
    ] = 0,
    margin: Annotated[
        float,
        typer.Option(
            "--margin",
            metavar="FRACTION",
            min=0,
            max=10,
            help="Widen the box by this fraction of its sides.",
        ),
    ] = 0.0,
    bits: options.Bits = "8",
    _list: Annotated[bool, options.plugin_lister(PLUGINS)] = False,
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
    from cxrtool.preprocess.segmentation import Segmenting, SegmentSettings

    effects.refuse(context, idle(keep, engine))
    softness = read_blur("--blur", blur)
    settings = SegmentSettings(
        folder, model, keep, softness, dilate, margin, int(bits), root, force
    )
    crew = options.crew(jobs, engine)
    source = Manifest(input_or_stdin(manifest), options.conditions("--where", where))
    work = Segmenting(settings, scores="mask" in source.columns)
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
        "--jobs": options.idle_jobs(engine),
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
