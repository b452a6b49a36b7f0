"""Plot the features of a run, and test what they predict (run + manifest -> points).

OUTPUT has the manifest's columns and `x,y`, the t-SNE coordinates of the features after PCA: images
that the network represents similarly are close together. Features are the input of the last linear
layer (--layer embedding), the averaged last feature map (--layer map), or the output of any module
of the network.

A plot alone can mislead, so it comes with tests. For every column of --colour a linear probe
predicts the column from the features, tested on patients that it was not trained on. Each patient
counts once. p is the p-value of an exact permutation test (values permuted between patients), and
p_holm is adjusted for all probes of the call. --stats writes the 95 % confidence interval of the
balanced accuracy, and the balanced accuracy that this number of patients would detect with a power
of 80 %. If p is large, look at this number before you conclude that there is no effect.

Is it the disease or the data set? If the source can be predicted, so can every label that depends
on the source. The label is therefore also probed within each source. Duplicates count as one
patient.

A run of findings has features, too. --colour finding shows the lists of findings as they are.

Example:

    cxrtool tsne runs/r18 split.csv --where split=test --plot points.png -o points.csv
    cxrtool tsne runs/r18 split.csv --layer map --colour source,view > points.csv
"""

from typing import TYPE_CHECKING, Any

import typer

from cxrtool.cli import effects, option_values, options
from cxrtool.commands import _tsne_options
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cxrtool.explain.probe_report import Findings
    from cxrtool.files.run_record import About
    from cxrtool.stats.projection import Floats, Projection

Row = dict[str, str]

PLACES = ["x", "y"]
COLOURED = ["source", "label"]
MANY = 5000
INSTALL = "pip install 'cxrtool[tsne]'"


def run(
    context: typer.Context,
    folder: _tsne_options.Folder,
    manifest: options.Manifest = None,
    layer: _tsne_options.Layer = "embedding",
    perplexity: _tsne_options.Perplexity = 30.0,
    method: _tsne_options.Method = "auto",
    pca: _tsne_options.Pca = "50",
    max_iter: _tsne_options.MaxIter = 750,
    color: _tsne_options.Colour = None,
    plot: _tsne_options.Plot = None,
    stats: _tsne_options.Stats = None,
    permutations: _tsne_options.Permutations = 1999,
    seed: options.Seed = 0,
    batch: options.Batch = 64,
    device: options.Device = "auto",
    cache: options.Cache = None,
    where: options.Where = None,
    root: options.Root = None,
    jobs: options.Jobs = "auto",
    engine: options.Engine = "local",
    output: options.Output = "-",
    failures: options.Failures = None,
    strict: options.Strict = False,
    progress: options.Progress = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    from cxrtool.commands import _model_inputs
    from cxrtool.explain import features, probe_report
    from cxrtool.files import json_writer, pixel_cache, table
    from cxrtool.files import run_folder as runs
    from cxrtool.files.failures import Failures
    from cxrtool.learn import inference, prediction
    from cxrtool.stats import projection

    effects.refuse(context, option_values.idle_with_networks(engine))
    check(output, plot, stats)
    check_method(method)
    chance = seed % (1 << 32)  # what scikit-learn takes
    # Features need no outputs: what these say, classes or findings, makes no difference.
    result = runs.classifier(folder, or_findings=True)
    columns, coloured, rows = read(manifest, where, color, result.about)
    effects.refuse(context, {"--permutations": "" if coloured else "no column is probed"})
    here = inference.device(_model_inputs.device_here(device, engine))
    tap = features.Tap(inference.Model(result, here), layer)
    reading = prediction.PredictionSettings(
        batch,
        cache=cache or pixel_cache.default_folder(),
        root=root or "",
        crew=option_values.crew(jobs, engine),
        remote="" if engine == "local" else device,
    )
    skipped = Failures(failures, output=output, strict=strict)
    kept, vectors = features.of_rows(rows, tap, reading, skipped, progress)
    note_duration(len(kept), method)
    picture = projection.placed(
        vectors,
        projection.ProjectionSettings(
            perplexity, option_values.number(pca), max_iter, chance, method
        ),
    )
    summary = probe_report.of_columns(vectors, kept, coloured, permutations, chance)
    warn(kept)
    for text in (*picture.notes, *probe_report.sentences(summary, permutations)):
        note(text)
    # Before the table: what reads that from a pipe may close it.
    if stats:
        given = {"run": result.name, "layer": layer, "permutations": permutations, "seed": seed}
        json_writer.write(stats, given | figures(vectors, picture, summary, kept))
    if plot:
        draw(plot, kept, picture, coloured, summary)
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


def check_method(method: str) -> None:
    """Refuse an algorithm whose package is not installed, before images are read."""
    from cxrtool.stats import fft_tsne

    if method == "fft" and not fft_tsne.installed():
        what = f"--method fft needs the package {fft_tsne.PACKAGE}, which is not installed"
        raise CxrtoolError(what, INSTALL)


def note_duration(number: int, method: str) -> None:
    """Say that many points take minutes, and what would make them faster."""
    from cxrtool.stats import projection

    if number > MANY:
        slow = number > projection.MOST_BARNES_HUT and not projection.uses_fft(method, number)
        # Whoever asks for barnes-hut knows that there is another.
        advice = f"; openTSNE is faster: {INSTALL}" if slow and method == "auto" else ""
        note(f"placing {number} points takes minutes{advice}")


def read(
    manifest: str | None, where: list[str] | None, color: str | None, about: "About"
) -> "tuple[list[str], list[str], list[Row]]":
    """Read the manifest: its columns, those that are coloured, and its rows."""
    from cxrtool.commands import _model_inputs
    from cxrtool.files.manifest import Manifest, input_or_stdin

    source = Manifest(input_or_stdin(manifest), option_values.conditions("--where", where))
    usual = (c for c in COLOURED if c in source.columns)
    coloured = list(
        usual if color is None else dict.fromkeys(option_values.entries("--colour", color))
    )
    for column in coloured:
        source.index(column, "Check --colour.")
    return source.columns, coloured, list(_model_inputs.prepared_alike(source, about.preprocessing))


def draw(
    file: str, rows: list[Row], picture: "Projection", coloured: list[str], summary: "Findings"
) -> None:
    """Draw the points, once for each column that colours them."""
    from cxrtool.explain import probe_report
    from cxrtool.figures import plot

    colours = {c: [row[c] for row in rows] for c in coloured} or {"": [""] * len(rows)}
    x, y = picture.points.T
    plot.scatter(file, x, y, colours, notes=probe_report.captions(summary))


def warn(rows: list[Row]) -> None:
    """Say what flatters the probes."""
    if "patient" not in rows[0]:
        note("warning: no column 'patient': every image counts as a patient of its own")
    learned = sum(row.get("split") == "train" for row in rows)
    if learned:
        note(
            f"warning: {learned} of the images are of the part train: a run that learned from "
            "them may have memorised them"
        )


def figures(
    vectors: "Floats", picture: "Projection", text: "Findings", rows: list[Row]
) -> dict[str, Any]:
    """Gather the figures of the points and of the probes."""
    from cxrtool.explain import probe_report

    return {
        "images": len(rows),
        "features": vectors.shape[1],
        "perplexity": picture.perplexity,
        "divergence": picture.divergence,
        "notes": list(picture.notes),
        "probes": probe_report.figures(text, rows, picture.points),
    }


def located(
    columns: list[str], rows: list[Row], points: list[list[float]]
) -> "tuple[list[str], Iterator[list[str]]]":
    """Return the table: the columns, those of the points being new, and the rows."""
    from cxrtool.figures import numbers

    kept = [c for c in columns if c not in PLACES]
    cells = (
        [*(row[c] for c in kept), *map(numbers.measure, point)]
        for row, point in zip(rows, points, strict=True)
    )
    return [*kept, *PLACES], cells
