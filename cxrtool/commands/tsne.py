"""Lay images out as a run sees them, and probe what it tells apart (run + manifest -> points).

OUTPUT has the manifest's columns and `x,y`: images that the network makes much the same of lie near
each other (t-SNE of the features, after PCA). The features are those that the last linear layer
sees, or with --layer map the last feature maps, averaged, or what any module of the network gives.

A picture persuades easily, so it comes with numbers. For every column of --color, a linear probe
learns to predict the column from the features, and is tested on patients that it has not seen. Each
patient counts once, however many images it has. p is from an exact permutation test: patients
exchange their values. It is also adjusted for all probes of the call (Holm). --stats writes the
95 % interval of the balanced accuracy, and the balanced accuracy that so many patients would detect
with a power of 80 %. Where p is large, read that before you conclude that there is nothing.

Is it the disease or the data set? If the source can be predicted, so can any label that goes with
the source: so the label is probed within each source too. Duplicates count as the same patient.

Example:

    cxrtool tsne runs/r18 split.csv --where split=test --plot points.png -o points.csv
    cxrtool tsne runs/r18 split.csv --layer map --color source,view --stats probes.json > points.csv
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cxrtool.cli import effects, options
from cxrtool.cli.file_roles import Role
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cxrtool.explain.probe_report import Findings
    from cxrtool.files.run_folder import About
    from cxrtool.stats.projection import Floats, Picture

Row = dict[str, str]

PLACES = ["x", "y"]
COLOURED = ["source", "label"]
MANY = 5000


def run(
    context: typer.Context,
    folder: Annotated[str, typer.Argument(metavar="RUN", help="The run folder."), Role.READS],
    manifest: options.Manifest = None,
    layer: Annotated[
        str,
        typer.Option(
            "--layer",
            metavar="NAME",
            help="Where features are taken: embedding, map, or a module of the network.",
        ),
    ] = "embedding",
    perplexity: Annotated[
        float,
        typer.Option(
            "--perplexity",
            metavar="P",
            min=1,
            max=options.MOST,
            help="About how many neighbours an image has.",
        ),
    ] = 30.0,
    pca: Annotated[
        int,
        typer.Option(
            "--pca",
            metavar="N",
            min=0,
            max=options.MOST,
            help="Principal components that t-SNE sees; 0: all.",
        ),
    ] = 50,
    max_iter: Annotated[
        int,
        typer.Option("--max-iter", metavar="N", min=500, max=options.MOST, help="Steps of t-SNE."),
    ] = 750,
    color: Annotated[
        str | None,
        typer.Option(
            "--color",
            metavar="COLUMN[,COLUMN...]",
            help="What is coloured and probed (default: those of source and label that exist).",
        ),
    ] = None,
    plot: Annotated[
        str | None,
        typer.Option("--plot", metavar="FILE", help="Draw the points; the ending is the kind."),
        Role.WRITES,
    ] = None,
    stats: Annotated[
        str | None,
        typer.Option("--stats", metavar="FILE", help="Write what the probes found as JSON."),
        Role.WRITES,
    ] = None,
    permutations: Annotated[
        int,
        typer.Option(
            "--permutations",
            metavar="N",
            min=1,
            max=options.MOST,
            help="Permutations of the test; the least p is 1 / (N + 1).",
        ),
    ] = 1999,
    seed: options.Seed = 0,
    batch: Annotated[
        int,
        typer.Option("--batch", metavar="N", min=1, max=options.MOST, help="Images of one step."),
    ] = 64,
    device: options.Device = "auto",
    cache: options.Cache = None,
    where: options.Where = None,
    root: options.Root = None,
    jobs: options.Jobs = 0,
    output: options.Output = "-",
    failures: options.Failures = None,
    strict: options.Strict = False,
    progress: options.Progress = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    from cxrtool.explain import features, probe_report
    from cxrtool.figures import plot as plots
    from cxrtool.files import pixel_cache, table
    from cxrtool.files import run_folder as runs
    from cxrtool.files.failures import Failures
    from cxrtool.learn import inference, prediction
    from cxrtool.stats import projection

    check(output, plot, stats)
    chance = seed % (1 << 32)  # what scikit-learn takes
    found = runs.classifier(folder)
    columns, coloured, rows = read(manifest, where, color, found.about)
    effects.refuse(context, {"--permutations": "" if coloured else "no column is probed"})
    tap = features.Tap(inference.Model(found, inference.device(device)), layer)
    way = prediction.Way(
        batch, cache=cache or pixel_cache.default_folder(), root=root or "", crew=options.crew(jobs)
    )
    skipped = Failures(failures, output=output, strict=strict)
    kept, vectors = features.of_rows(rows, tap, way, skipped, progress)
    if len(kept) > MANY:
        note(f"placing {len(kept)} points takes minutes")
    picture = projection.placed(vectors, projection.Plan(perplexity, pca, max_iter, chance))
    told = probe_report.of_columns(vectors, kept, coloured, permutations, chance)
    warn(kept)
    for text in (
        *picture.notes,
        probe_report.unattainable(told, permutations),
        probe_report.line(told),
    ):
        if text:
            note(text)
    # Before the table: what reads that from a pipe may close it.
    if stats:
        given = {"run": found.name, "layer": layer, "permutations": permutations, "seed": seed}
        runs.write_json(stats, given | figures(vectors, picture, told, kept))
    if plot:
        colours = {c: [row[c] for row in kept] for c in coloured} or {"": [""] * len(kept)}
        x, y = picture.points.T
        plots.scatter(plot, x, y, colours, notes=probe_report.captions(told))
    table.write(output, *located(columns, kept, picture.points.tolist()))
    raise typer.Exit(skipped.close())


def check(output: str, plot: str | None, stats: str | None) -> None:
    """Refuse what could not be written at the end."""
    from cxrtool.figures import plot as plots
    from cxrtool.files import disk

    disk.check_output(output)
    for option, file in (("--plot", plot), ("--stats", stats)):
        if file == "-":
            raise CxrtoolError(f"{option} -: standard output is for the table", "Name a file.")
        if file is not None:
            disk.check_output(file)
    if plot is not None:
        plots.kind(plot)


def read(
    manifest: str | None, where: list[str] | None, color: str | None, about: "About"
) -> "tuple[list[str], list[str], list[Row]]":
    """Read the manifest: its columns, those that are coloured, and its rows."""
    from cxrtool.commands import _model_inputs
    from cxrtool.files.manifest import Manifest, input_or_stdin

    source = Manifest(input_or_stdin(manifest), options.conditions("--where", where))
    usual = (c for c in COLOURED if c in source.columns)
    coloured = list(usual if color is None else dict.fromkeys(options.entries("--color", color)))
    for column in coloured:
        source.index(column, "Check --color.")
    return source.columns, coloured, list(_model_inputs.prepared_alike(source, about.preprocessing))


def warn(rows: list[Row]) -> None:
    """Say what flatters the probes."""
    if "patient" not in rows[0]:
        note("warning: no column 'patient': every image counts as a patient of its own")
    learned = sum(row.get("split") == "train" for row in rows)
    if learned:
        note(
            f"warning: {learned} of the images are of the part train: a run that learned from "
            "them may know them by heart"
        )


def figures(
    vectors: "Floats", picture: "Picture", told: "Findings", rows: list[Row]
) -> dict[str, Any]:
    """Gather the figures of the points and of the probes."""
    from cxrtool.explain import probe_report

    return {
        "images": len(rows),
        "features": vectors.shape[1],
        "perplexity": picture.perplexity,
        "divergence": picture.divergence,
        "notes": list(picture.notes),
        "probes": probe_report.figures(told, rows, picture.points),
    }


def located(
    columns: list[str], rows: list[Row], points: list[list[float]]
) -> "tuple[list[str], Iterator[list[str]]]":
    """Return the table: the columns, those of the points being new, and the rows."""
    made = [c for c in columns if c not in PLACES]
    cells = (
        [*(row[c] for c in made), *(f"{value:.4f}" for value in point)]
        for row, point in zip(rows, points, strict=True)
    )
    return [*made, *PLACES], cells
