"""Draw where a run looks, and measure the share in the lungs (run + images -> pictures, CSV).

DIR receives one picture per image, with the heat in colour and an outline around all pixels that
have at least the fraction --outline of the maximum heat. The CSV has one row per image: the
prediction, the class that is explained and its probability (score), and where the heat is.
`in_lung` is the fraction of the heat inside the lung mask. `enrichment` is `in_lung` divided by the
lungs' fraction of the image (`lung_fraction`): 1 means no preference for the lungs. The peak is
given in pixels. `flag` marks empty maps, peaks at the edge, and heat outside the lungs.

Lung masks come from the column `mask` (see cxrtool segment). With --mask auto, missing masks are
computed. The column `lesion` (of phantoms, and of collections whose readers drew boxes, such as
rsna) gives `in_lesion`, `lesion_fraction` and `lesion_enrichment`, and a cyan line.

A heat map shows what a network used. It does not show whether this was right. If class activation
maps (cam) are not defined for a network, Grad-CAM is used, and the column `method` says so.
--signs both also shows what speaks against the class, if the method finds it (cam, lime,
occlusion): orange for, blue against. The measures are of what speaks for the class.

With --hierarchy the decision is that of evaluate --hierarchy at a threshold of 0.5. RUN explains
its own two classes, RUN2 those below the second one. --branch makes the map of a part of the
network, such as resnet or xception of cvr-net, for the score of the whole network.

Of a run of findings (cxrtool train --task findings), --class names the finding; `pred` is
`absent` if its probability is at most 0.5. `label` is what the column `finding` says of it, or
empty.

--beside MAPS.csv puts earlier pictures of the same images beside these on the sheet (--grid), a
column for each table, under its name: before and after a change of the images, or other methods
and runs. A line says for how many images the prediction differs. Images are matched by `raw`, else
by `path`.

When the command runs again, it skips complete pictures made with the same options.

Example:

    cxrtool cam runs/r18 split.csv --where split=test -d maps/ --grid sheet.png -o maps.csv
    cxrtool cam runs/r18 chest.png -d maps/
    cxrtool cam runs/r18 split.csv --method lime --signs both --class covid --mask auto -d lime/
    cxrtool cam runs/r18 concealed.csv --beside before.csv --grid sheet.png -d after/ -o after.csv
    cxrtool cam runs/sick split.csv --hierarchy runs/which -d maps/ > maps.csv
    cxrtool cam runs/nih split.csv --class Infiltration -d maps/ > maps.csv
    cxrtool cam runs/r18 split.csv --class label --grid sheet.png --grid-most 12 -d maps/ > maps.csv
"""

from typing import TYPE_CHECKING

import typer

from cxrtool.cli import effects, option_values, options
from cxrtool.commands import _cam_options
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cxrtool.explain.cascade import Cascade
    from cxrtool.explain.explanation import Explainer
    from cxrtool.explain.image_view import Viewing
    from cxrtool.explain.pictures import ExplanationRequest
    from cxrtool.figures.heat_overlay import Style
    from cxrtool.files.manifest import Where
    from cxrtool.files.run_record import About

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
    hierarchy: _cam_options.Hierarchy = None,
    branch: _cam_options.Branch = None,
    signs: _cam_options.Signs = "positive",
    threshold: _cam_options.Outline = 0.6,
    colormap: _cam_options.Colormap = "inferno",
    mask: _cam_options.Mask = "column",
    lesion: _cam_options.Lesion = "column",
    grid: _cam_options.Grid = None,
    grid_most: _cam_options.GridMost = 24,
    beside: _cam_options.Beside = None,
    batch: options.Batch = 32,
    _list: _cam_options.Listing = False,
    device: options.Device = "auto",
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
    from cxrtool.commands import _model_inputs
    from cxrtool.explain import earlier_maps, overlays
    from cxrtool.explain.pictures import ExplanationRequest, RemotePictures
    from cxrtool.figures.heat_overlay import Style
    from cxrtool.files import run_folder as runs
    from cxrtool.files import table
    from cxrtool.files.failures import Failures
    from cxrtool.learn.remote_batches import RemotePlace

    check(grid)
    effects.refuse(context, option_values.idle_with_networks(engine))
    first = runs.classifier(run_folder, or_findings=hierarchy is None)
    below = () if hierarchy is None else (runs.classifier(hierarchy),)
    effects.refuse(context, _model_inputs.idle_with_images(inputs or []) | idle(grid, signs))
    columns, rows, number = read(
        inputs or [], option_values.conditions("--where", where), first.about, root
    )
    effects.refuse(context, idle_with_columns(columns, mask, lesion, of))
    request = ExplanationRequest((first, *below), method, of, branch)
    explainer = explainer_of(request, _model_inputs.device_here(device, engine))
    effects.refuse(context, idle_with_method(explainer, signs))
    before = earlier_maps.read(beside or [], root)
    if dry_run:
        return note(f"would make {sum(1 for _ in rows)} pictures in {folder}: {explainer.method}")
    style = Style(colormap, threshold, signs == "both")
    viewing = viewing_of(explainer, style, folder, root, mask, lesion, force)
    most = grid_most if grid else 0
    remote = None
    if engine != "local":
        remote = RemotePictures(request, viewing, style, RemotePlace(device))
    crew = option_values.crew(jobs, engine)
    pictures = overlays.Gallery(explainer, viewing, style, crew, batch, most, before, remote)
    pictures.claim(*(p for p in (output, grid) if p is not None))
    skipped = Failures(failures, folder=folder, output=output, strict=strict)
    drawn = skipped.checked(pictures.rows(rows, number, skipped, progress))
    table.write(output, overlays.COLUMNS, ([row[c] for c in overlays.COLUMNS] for row in drawn), 1)
    if grid:
        pictures.hang(grid, name_of(output, folder))
    pictures.note_summary()
    raise typer.Exit(skipped.close())


def explainer_of(request: "ExplanationRequest", device: str) -> "Explainer | Cascade":
    """Load the network of a run, or those of the two levels of a hierarchy."""
    from cxrtool.learn import inference

    where = inference.device(device)
    explainer = request.explainer(lambda run: inference.Model(run, where))
    for text in explainer.notes:
        note(text)
    return explainer


def viewing_of(
    explainer: "Explainer | Cascade",
    style: "Style",
    folder: str,
    root: str | None,
    mask: str,
    lesion: str,
    force: bool,
) -> "Viewing":
    """Say how images are read and where their pictures go."""
    import os

    from cxrtool.explain import overlays
    from cxrtool.explain.image_view import Viewing
    from cxrtool.files import manifest, pixel_cache

    return Viewing(
        tuple(pixel_cache.Frame(a.size, a.image_channels, a.fit) for a in explainer.abouts),
        manifest.ImageFolder(folder, root),
        overlays.steps(explainer, style, mask, lesion),
        os.path.abspath(root or "."),
        mask,
        lesion,
        explainer.of == "label",
        force,
    )


def name_of(output: str, folder: str) -> str:
    """Name the pictures of this call on a sheet: as their table, else as their folder."""
    import os

    path = os.path.abspath(folder if output == "-" else output)
    return os.path.splitext(os.path.basename(path))[0]


def check(grid: str | None) -> None:
    """Refuse a sheet that could not be written at the end."""
    from cxrtool.figures import plot

    if grid == "-":
        raise CxrtoolError("--grid -: standard output is for the table", "Name a file.")
    if grid is not None:
        plot.kind(grid)


def idle(grid: str | None, signs: str) -> dict[str, str]:
    """Say why options have no effect, before anything is read."""
    no_grid = "" if grid else "there is no --grid"
    own = "--signs both has colours of its own" if signs == "both" else ""
    return {"--grid-most": no_grid, "--beside": no_grid, "--colormap": own}


def idle_with_columns(columns: list[str], mask: str, lesion: str, of: str) -> dict[str, str]:
    """Say why options have no effect with images that have no more than these columns."""
    no_mask = mask == "column" and "mask" not in columns
    no_lesion = "lesion" not in columns
    no_label = of == "label" and "label" not in columns
    return {
        "--mask column": "the images have no column 'mask'" if no_mask else "",
        f"--lesion {lesion}": "the images have no column 'lesion'" if no_lesion else "",
        "--class label": "the images have no column 'label'" if no_label else "",
    }


def idle_with_method(explainer: "Explainer | Cascade", signs: str) -> dict[str, str]:
    """Say why options have no effect with a method."""
    method, unsigned = explainer.method, signs == "both" and not explainer.signed
    return {
        "--batch": f"{method} looks at one image at a time" if explainer.alone else "",
        "--branch": f"{method} has no map of a branch" if explainer.asks_only else "",
        "--signs both": f"{method} finds nothing against a class" if unsigned else "",
    }


def read(
    inputs: list[str], conditions: "list[Where]", about: "About", root: str | None
) -> "tuple[list[str], Iterator[Row], int | None]":
    """Read a manifest, or take bare images: the columns, a row at least, and how many if known."""
    import itertools

    from cxrtool.commands import _model_inputs

    columns, rows, number = _model_inputs.read(inputs, conditions, about, root)
    return columns, itertools.chain([next(rows)], rows), number
