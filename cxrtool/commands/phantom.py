"""Make synthetic chest radiographs with known truth (nothing -> images + manifest).

COUNT images of patients who have one to three images each: lungs, heart, ribs, vessels and noise;
covid as bilateral peripheral opacities in the lower lungs, pneumonia as a consolidation of one
lung, normal without opacities. Every hospital (source) leaves a signature: gamma, window,
resolution, border, vignette, marker, wires. --confound sets how strongly the hospital depends on
the label: 0 means not at all, 1 means that every class comes from its own hospital. A classifier
that is good at 1 may have learned nothing but the hospital.

With --slices, the images are axial CT slices in a lung window, two to five a patient: covid as
ground glass along the chest wall of both lungs, pneumonia as a consolidation. The name of a
collection gives them the folders and file names of that collection, in DIR/NAME, so that `cxrtool
ingest DIR/NAME --preset NAME` reads them.

DIR receives images/, masks/ (the lungs) and lesions/ (the opacities). The manifest has the true
labels. These are drawings for testing software, not radiographs of persons.

Example:

    cxrtool phantom 200 -d phantoms -o phantoms.csv
    cxrtool phantom 600 -d trap --confound 1 --sources 3 --size 128 -o trap.csv
    cxrtool phantom 200 -d ct --slices ccii -o slices.csv
"""

import os
from typing import TYPE_CHECKING

import typer

from cxrtool.cli import effects, option_values, options
from cxrtool.commands import _phantom_options
from cxrtool.core.errors import BrokenRun, CxrtoolError
from cxrtool.core.progress import bar, note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cxrtool.core.parallel import Lost
    from cxrtool.phantoms import PhantomCase


def run(
    context: typer.Context,
    count: _phantom_options.Count,
    folder: options.Dir,
    labels: _phantom_options.Labels = "normal,pneumonia,covid",
    sources: _phantom_options.Sources = 3,
    confound: _phantom_options.Confound = 0.0,
    size: _phantom_options.Size = 256,
    slices: _phantom_options.Slices = "none",
    seed: options.Seed = 0,
    root: options.Root = None,
    jobs: options.Jobs = "auto",
    output: options.Output = "-",
    dry_run: options.DryRun = False,
    force: options.Force = False,
    progress: options.Progress = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    from cxrtool.core import outputs, parallel
    from cxrtool.files import disk, table
    from cxrtool.phantoms import layouts, writer

    named = f"all images are of one collection, {slices}" if slices in layouts.COLLECTIONS else ""
    one = "there is one hospital" if sources == 1 else ""
    effects.refuse(context, {"--sources": named, "--confound": named or one})
    cases = planned(count, chosen(labels), sources, confound, slices, seed)
    if dry_run:
        note(f"would make {count} images of {size} x {size} pixels in {folder}")
        return
    disk.check_output(output)
    orders = [writer.Order(c, size, folder, root, force, slices) for c in cases]
    images = slices if slices in layouts.COLLECTIONS else "images"
    for part in (images, *writer.TRUTH):
        disk.make_folder(f"{folder}/{part}")
        outputs.current().fill(outputs.FilledFolder("--dir", f"{folder}/{part}"))
    for below in sorted({os.path.dirname(path) for order in orders for path in order.paths()}):
        disk.make_folder(below)
    outputs.current().check(path for order in orders for path in order.paths())
    results = parallel.each(writer.make, orders, option_values.crew(jobs).of(count))
    table.write(output, writer.COLUMNS, whole(bar(results, count, "images", progress)))


def planned(
    count: int, labels: list[str], sources: int, confound: float, slices: str, seed: int
) -> "list[PhantomCase]":
    """Plan the images: one to three a patient, or of CT two to five slices."""
    from cxrtool.phantoms import layouts, plan

    if slices == layouts.NONE:
        return plan(count, labels=labels, sources=sources, confound=confound, seed=seed)
    taken = layouts.SLICES
    cases = plan(
        count, labels=labels, sources=sources, confound=confound, per_patient=taken, seed=seed
    )
    return layouts.of_collection(cases, slices) if slices in layouts.COLLECTIONS else cases


def whole(results: "Iterable[list[str] | Lost]") -> "Iterator[list[str]]":
    """Pass the rows on; a phantom that cannot be made ends the run."""
    for row in results:
        if not isinstance(row, list):
            raise BrokenRun(f"a phantom {row.reason}", "Make them smaller, or run it again.")
        yield row


def chosen(text: str) -> list[str]:
    """Read the labels."""
    labels = option_values.entries("--labels", text)
    if len(set(labels)) < len(labels):
        raise CxrtoolError(f"--labels {text} names a label twice", "Name each once.")
    return labels
