"""Draw where a run looks, and measure whether that is in the lungs (run + images -> pictures, CSV).

DIR gets a picture for every image, its heat in colours, with a line round all that is at least
--threshold of the hottest place. One row an image: what is predicted, the class that is looked for
and its probability (score), and where the heat is. `in_lung` is the share of the heat inside the
lung mask, `enrichment` that share over the lungs' share of the image (`lung_fraction`): 1 is what a
map without any idea of lungs gives. The peak is in pixels of the image. `flag` tells of an empty
map, of a peak at the edge of the image, and of heat that keeps outside the lungs.

A heat map shows what a network used, not whether it was right to. Where Zhou's map (cam) is not
defined for a network, Grad-CAM is used, and `method` says so.

The lungs are those of the manifest's `mask` (made by segment); with --mask auto they are found
where a row has none. A re-run skips the pictures that are whole and made with the same options.

Example:

    cxrtool cam runs/r18 split.csv --where split=test -d maps/ --grid sheet.png -o maps.csv
    cxrtool cam runs/r18 chest.png -d maps/
    cxrtool cam runs/r18 split.csv --method lime:samples=500 --class covid --mask auto -d lime/
    cxrtool cam runs/r18 split.csv --class label --grid sheet.png --grid-most 12 -d maps/ > maps.csv
"""

from typing import TYPE_CHECKING, Annotated

import typer

from cxrtool.cli import effects, options
from cxrtool.cli.file_roles import Role
from cxrtool.core import choices
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cxrtool.files.manifest import Where
    from cxrtool.files.run_folder import About

Row = dict[str, str]

PLUGINS = ("heatmaps", "heatmap")
MADE = (".png",)


def run(
    context: typer.Context,
    run_folder: Annotated[str, typer.Argument(metavar="RUN", help="The run folder."), Role.READS],
    folder: options.Dir,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MANIFEST|IMAGE...]",
            help="A manifest ('-' or nothing is standard input), or images.",
        ),
        Role.READS,
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="NAME[:KEY=VALUE,...]",
            help="What finds the heat; see --list.",
            **options.spec(*PLUGINS),
        ),
    ] = "gradcam",
    of: Annotated[
        str,
        typer.Option(
            "--class",
            metavar="NAME|predicted|label",
            help="The class that is looked for: one for all, the predicted one, or the true one.",
            autocompletion=lambda: ["predicted", "label"],
        ),
    ] = "predicted",
    threshold: Annotated[
        float,
        typer.Option(
            "--threshold",
            metavar="SHARE",
            min=0,
            max=1,
            help="The line goes round what has this share of the hottest place; 0 draws none.",
        ),
    ] = 0.6,
    colormap: Annotated[
        str,
        typer.Option(
            "--colormap",
            metavar="NAME",
            help=f"The colours of the heat: {', '.join(choices.COLORMAPS)}.",
            **options.choice(choices.COLORMAPS),
        ),
    ] = "inferno",
    mask: Annotated[
        str,
        typer.Option(
            "--mask",
            metavar="NAME",
            help="The lungs: of the mask column, found where that is empty (auto), or none.",
            **options.choice(choices.LUNG_MASKS),
        ),
    ] = "column",
    grid: Annotated[
        str | None,
        typer.Option(
            "--grid",
            metavar="FILE",
            help="Draw the first pictures on one sheet; the ending is the kind.",
        ),
        Role.WRITES,
    ] = None,
    grid_most: Annotated[
        int,
        typer.Option("--grid-most", metavar="N", min=1, max=600, help="How many, at most."),
    ] = 24,
    batch: Annotated[
        int,
        typer.Option("--batch", metavar="N", min=1, max=options.MOST, help="Images of one step."),
    ] = 32,
    _list: Annotated[bool, options.lister(PLUGINS)] = False,
    device: options.Device = "auto",
    where: options.Where = None,
    root: options.Root = None,
    jobs: options.Jobs = 0,
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
    import os

    from cxrtool.commands import _model_inputs
    from cxrtool.explain import explanation, overlays
    from cxrtool.explain.image_view import Viewing
    from cxrtool.files import manifest, pixel_cache, table
    from cxrtool.files import run_folder as runs
    from cxrtool.files.failures import Failures
    from cxrtool.learn import inference

    check(grid)
    found = runs.classifier(run_folder)
    about = found.about
    effects.refuse(context, _model_inputs.idle_with_images(inputs or []) | idle(grid))
    columns, rows = read(inputs or [], options.conditions("--where", where), about, root)
    effects.refuse(context, idle_with_columns(columns, mask, of))
    explainer = explanation.Explainer(inference.Model(found, inference.device(device)), method, of)
    alone = f"{explainer.method} looks at one image at a time" if explainer.alone else ""
    effects.refuse(context, {"--batch": alone})
    if dry_run:
        return note(f"would make {sum(1 for _ in rows)} pictures in {folder}: {explainer.method}")
    style = overlays.Style(colormap, threshold)
    viewing = Viewing(
        pixel_cache.Frame(about.size, about.image_channels, about.fit),
        manifest.Folder(folder, root),
        overlays.steps(explainer, style, mask),
        os.path.abspath(root or "."),
        mask,
        of == "label",
        force,
    )
    most = grid_most if grid else 0
    pictures = overlays.Gallery(explainer, viewing, style, options.crew(jobs), batch, most)
    pictures.claim(*(p for p in (output, grid) if p is not None))
    skipped = Failures(failures, folder=folder, output=output, strict=strict)
    made = pictures.rows(rows, skipped, progress)
    table.write(output, overlays.COLUMNS, ([row[c] for c in overlays.COLUMNS] for row in made), 1)
    if grid:
        pictures.hang(grid, found.name)
    pictures.tell()
    raise typer.Exit(skipped.close())


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
