"""Enhance the contrast of every image (manifest -> images + manifest).

Each image is read at its own bit depth, burnt-in text is covered (--conceal), the image is resized
(--size), enhanced (--method) and written to DIR as a grey PNG of 8 bits (--bits 16 keeps 16). The
method `stack` writes three channels. In the new manifest `path` is the new image, `preprocessing`
lists what was done, and `concealed` is the number of covered boxes. Masks are not changed.

Rows are written in their order while the work goes on. When the command runs again, it skips images
that are complete and were made from the same file with the same options.

Example:

    cxrtool equalize images.csv --method hist -d eq/ -o eq.csv
    cxrtool ingest images/ | cxrtool equalize --method clahe:clip=2,tiles=8 -d eq/ > eq.csv
    cxrtool equalize images.csv --method stack:beasf+clahe+raw --size 320 -d stacks/ > stacks.csv
    cxrtool equalize images.csv --method match:reference=typical.png -d matched/ > matched.csv
    cxrtool equalize images.csv --method none --conceal auto -d covered/ > covered.csv
"""

import os
from typing import Annotated

import typer

from cxrtool.cli import effects, options
from cxrtool.cli.file_roles import Role
from cxrtool.core import choices
from cxrtool.core.progress import note

PLUGINS = ("equalizers", "equalize")
ENDINGS = (".png",)


def run(
    context: typer.Context,
    folder: options.Dir,
    manifest: options.Manifest = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="NAME[:KEY=VALUE,...]",
            help="Enhancement method, see --list.",
            **options.spec(*PLUGINS),
        ),
    ] = "hist",
    size: Annotated[
        str,
        typer.Option(
            "--size",
            metavar="none|N",
            help="Resize to N x N pixels.",
            **options.number_or("none", 1, 8192),
        ),
    ] = "none",
    interpolation: Annotated[
        str,
        typer.Option(
            "--interpolation",
            metavar="NAME",
            help="Interpolation of --size: area, cubic (COVID-CXNet), linear or nearest (CVR-Net).",
            **options.choice(choices.INTERPOLATIONS),
        ),
    ] = "area",
    bits: options.Bits = "8",
    conceal: Annotated[
        str | None,
        typer.Option(
            "--conceal",
            metavar="auto|BOXES.csv",
            help="Cover burnt-in text: where it is detected (auto), or the boxes of a table with "
            "the "
            "columns path,x,y,width,height.",
            **options.word_or(
                ["auto"], "an existing table of boxes", os.path.exists, "auto or its path"
            ),
        ),
        Role.READS,
    ] = None,
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
    from cxrtool.files import boxes
    from cxrtool.files.failures import Failures
    from cxrtool.files.manifest import Manifest, input_or_stdin
    from cxrtool.preprocess import pipeline
    from cxrtool.preprocess.equalization import EqualizeSettings, Equalizing

    side = options.number(size)
    effects.refuse(context, idle(method, side, engine))
    crew = options.crew(jobs, engine)
    listed = boxes.read(conceal) if conceal and conceal != "auto" else None
    result = conceal == "auto"
    unused = set(listed or ())
    settings = EqualizeSettings(
        folder, method, side, interpolation, int(bits), result, listed, root=root, force=force
    )
    work = Equalizing(settings)
    source = Manifest(input_or_stdin(manifest), options.conditions("--where", where))
    run = pipeline.PicturePass(
        source,
        work,
        folder,
        crew,
        progress,
        seen=lambda row, _: unused.difference_update((row["path"], row.get("raw", ""))),
    )
    if dry_run:
        return run.note_summary()
    skipped = Failures(failures, folder=folder, output=output, strict=strict)
    run.write(output, skipped)
    if unused:
        note(f"warning: {conceal}: boxes of {len(unused)} images that were not made: {min(unused)}")
    raise typer.Exit(skipped.close())


def idle(method: str, size: int, engine: str) -> dict[str, str]:
    """Say why options have no effect."""
    stacks = method.partition(":")[0] == "stack"
    return {
        "--interpolation": "" if size else "without --size no image is resized",
        "--bits": "stack makes images of 8 bits" if stacks else "",
        "--jobs": options.idle_jobs(engine),
    }
