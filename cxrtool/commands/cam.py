"""Draw where a run looks, and measure the share in the lungs (run + images -> pictures, CSV).

DIR receives one picture per image, with the heat in colour and an outline around all pixels that
have at least the fraction --outline of the maximum heat. The CSV has one row per image: the
prediction, the class that is explained and its probability (score), and where the heat is.
`in_lung` is the fraction of the heat inside the lung mask. `enrichment` is `in_lung` divided by the
lungs' fraction of the image (`lung_fraction`): 1 means no preference for the lungs. The peak is
given in pixels. `flag` marks empty maps, peaks at the edge, and heat outside the lungs.

A heat map shows what a network used. It does not show whether this was right. If class activation
maps (cam) are not defined for a network, Grad-CAM is used, and the column `method` says so.

Lung masks come from the column `mask` (see cxrtool segment). With --mask auto, missing masks are
computed. When the command runs again, it skips complete pictures made with the same options.

Example:

    cxrtool cam runs/r18 split.csv --where split=test -d maps/ --grid sheet.png -o maps.csv
    cxrtool cam runs/r18 chest.png -d maps/
    cxrtool cam runs/r18 split.csv --method lime:samples=500 --class covid --mask auto -d lime/
    cxrtool cam runs/r18 split.csv --class label --grid sheet.png --grid-most 12 -d maps/ > maps.csv
"""

from typing import TYPE_CHECKING

import typer

from cxrtool.cli import effects, options
from cxrtool.commands import _cam_options
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cxrtool.explain.explanation import Explainer
    from cxrtool.explain.image_view import Viewing
    from cxrtool.explain.overlays import Style
    from cxrtool.files.manifest import Where
    from cxrtool.files.run_folder import About

Row = dict[str, str]

PLUGINS = _cam_options.PLUGINS
ENDINGS = (".png",)


def run(
    context: typer.Context,
    run_folder: _cam_options.RunFolder,
    folder: options.Dir,
    inputs: _cam_options.Inputs = None,
    method: _cam_options.Method = "gradcam",
    of: _cam_options.Class = "predicted",
    threshold: _cam_options.Outline = 0.6,
    colormap: _cam_options.Colormap = "inferno",
    mask: _cam_options.Mask = "column",
    grid: _cam_options.Grid = None,
    grid_most: _cam_options.GridMost = 24,
    batch: _cam_options.Batch = 32,
    _list: _cam_options.Listing = False,
    device: options.Device = "auto",
    where: options.Where = None,
    root: options.Root = None,
    jobs: options.Jobs = "auto",
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
    from cxrtool.commands import _model_inputs
    from cxrtool.explain import explanation, overlays
    from cxrtool.files import run_folder as runs
    from cxrtool.files import table
    from cxrtool.files.failures import Failures
    from cxrtool.learn import inference

    check(grid)
    result = runs.classifier(run_folder)
    about = result.about
    effects.refuse(context, _model_inputs.idle_with_images(inputs or []) | idle(grid))
    columns, rows = read(inputs or [], options.conditions("--where", where), about, root)
    effects.refuse(context, idle_with_columns(columns, mask, of))
    explainer = explanation.Explainer(inference.Model(result, inference.device(device)), method, of)
    alone = f"{explainer.method} looks at one image at a time" if explainer.alone else ""
    effects.refuse(context, {"--batch": alone})
    if dry_run:
        return note(f"would make {sum(1 for _ in rows)} pictures in {folder}: {explainer.method}")
    style = overlays.Style(colormap, threshold)
    viewing = viewing_of(explainer, style, folder, root, mask, force)
    most = grid_most if grid else 0
    pictures = overlays.Gallery(explainer, viewing, style, options.crew(jobs), batch, most)
    pictures.claim(*(p for p in (output, grid) if p is not None))
    skipped = Failures(failures, folder=folder, output=output, strict=strict)
    drawn = skipped.checked(pictures.rows(rows, skipped, progress))
    table.write(output, overlays.COLUMNS, ([row[c] for c in overlays.COLUMNS] for row in drawn), 1)
    if grid:
        pictures.hang(grid, result.name)
    pictures.note_summary()
    raise typer.Exit(skipped.close())


def viewing_of(
    explainer: "Explainer",
    style: "Style",
    folder: str,
    root: str | None,
    mask: str,
    force: bool,
) -> "Viewing":
    """Say how images are read and where their pictures go."""
    import os

    from cxrtool.explain import overlays
    from cxrtool.explain.image_view import Viewing
    from cxrtool.files import manifest, pixel_cache

    about = explainer.about
    return Viewing(
        pixel_cache.Frame(about.size, about.image_channels, about.fit),
        manifest.ImageFolder(folder, root),
        overlays.steps(explainer, style, mask),
        os.path.abspath(root or "."),
        mask,
        explainer.of == "label",
        force,
    )


def check(grid: str | None) -> None:
    """Refuse a sheet that could not be written at the end."""
    from cxrtool.figures import plot

    if grid == "-":
        raise CxrtoolError("--grid -: standard output is for the table", "Name a file.")
    if grid is not None:
        plot.kind(grid)


def idle(grid: str | None) -> dict[str, str]:
    """Say why options have no effect, before anything is read."""
    return {"--grid-most": "" if grid else "there is no --grid"}


def idle_with_columns(columns: list[str], mask: str, of: str) -> dict[str, str]:
    """Say why options have no effect with images that have no more than these columns."""
    no_mask = mask == "column" and "mask" not in columns
    no_label = of == "label" and "label" not in columns
    return {
        "--mask column": "the images have no column 'mask'" if no_mask else "",
        "--class label": "the images have no column 'label'" if no_label else "",
    }


def read(
    inputs: list[str], conditions: "list[Where]", about: "About", root: str | None
) -> "tuple[list[str], Iterator[Row]]":
    """Read a manifest, or take bare images: the columns, and a row at least."""
    import itertools

    from cxrtool.commands import _model_inputs

    columns, rows = _model_inputs.read(inputs, conditions, about, root)
    return columns, itertools.chain([next(rows)], rows)
