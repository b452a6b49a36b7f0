"""Enhance the contrast of every image (manifest -> images + manifest).

Each image is read at its own bit depth, burnt-in text is covered (--conceal), the image is resized
(--size), enhanced (--method) and written to DIR as a grey PNG of 8 bits (--bits 16 keeps 16). The
method `stack` writes three channels. In the new manifest `path` is the new image, `preprocessing`
lists what was done, and `concealed` is the number of covered boxes. Masks are not changed.

--move makes copies that are turned, enlarged or sheared by a fixed amount. Use it to augment a
training set once: join the copies of the training rows with the originals (cxrtool ingest). What
comes in at the edge continues the edge. The masks of moved images are dropped.

Rows are written in their order while the work goes on. When the command runs again, it skips images
that are complete and were made from the same file with the same options.

Example:

    cxrtool equalize images.csv --method hist -d eq/ -o eq.csv
    cxrtool ingest images/ | cxrtool equalize --method clahe:clip=2,tiles=8 -d eq/ > eq.csv
    cxrtool equalize images.csv --method stack:beasf+clahe+raw --size 320 -d stacks/ > stacks.csv
    cxrtool equalize images.csv --method match:reference=typical.png -d matched/ > matched.csv
    cxrtool equalize images.csv --method none --conceal auto -d covered/ > covered.csv
    cxrtool equalize images.csv --method none --move rotate=5 -d turned/ > turned.csv
"""

import typer

from cxrtool.cli import effects, option_values, options
from cxrtool.commands import _equalize_options
from cxrtool.core.progress import note

PLUGINS = _equalize_options.PLUGINS
ENDINGS = (".png",)


def run(
    context: typer.Context,
    folder: options.Dir,
    manifest: options.Manifest = None,
    method: _equalize_options.Method = "hist",
    size: _equalize_options.Size = "none",
    interpolation: _equalize_options.Interpolation = "area",
    move: _equalize_options.Move = "",
    bits: options.Bits = "8",
    conceal: _equalize_options.Conceal = None,
    _list: _equalize_options.Listing = False,
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
    from cxrtool.preprocess.equalization import EqualizeSettings, RowEqualizer

    side = option_values.number(size)
    effects.refuse(context, idle(method, side, engine))
    crew = option_values.crew(jobs, engine)
    listed = boxes.read(conceal) if conceal and conceal != "auto" else None
    result = conceal == "auto"
    unused = set(listed or ())
    settings = EqualizeSettings(
        folder,
        method,
        side,
        interpolation,
        move,
        int(bits),
        result,
        listed,
        root=root,
        force=force,
    )
    work = RowEqualizer(settings)
    source = Manifest(input_or_stdin(manifest), option_values.conditions("--where", where))
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
        "--jobs": option_values.idle_jobs(engine),
    }
