"""Make synthetic chest radiographs with known truth (nothing -> images + manifest).

COUNT images of patients who have one to three images each: lungs, heart, ribs, vessels and noise;
covid as bilateral peripheral opacities in the lower lungs, pneumonia as a consolidation of one
lung, normal without opacities. Every hospital (source) leaves a signature: gamma, window,
resolution, border, vignette, marker, wires. --confound sets how strongly the hospital depends on
the label: 0 means not at all, 1 means that every class comes from its own hospital. A classifier
that is good at 1 may have learned nothing but the hospital.

DIR receives images/, masks/ (the lungs) and lesions/ (the opacities). The manifest has the true
labels. These are drawings for testing software, not radiographs of persons.

Example:

    cxrtool phantom 200 -d phantoms -o phantoms.csv
    cxrtool phantom 600 -d trap --confound 1 --sources 3 --size 128 -o trap.csv
"""

from typing import TYPE_CHECKING

import typer

from cxrtool.cli import effects, options
from cxrtool.commands import _phantom_options
from cxrtool.core.errors import BrokenRun, CxrtoolError
from cxrtool.core.progress import bar, note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cxrtool.core.parallel import Lost


def run(
    context: typer.Context,
    count: _phantom_options.Count,
    folder: options.Dir,
    labels: _phantom_options.Labels = "normal,pneumonia,covid",
    sources: _phantom_options.Sources = 3,
    confound: _phantom_options.Confound = 0.0,
    size: _phantom_options.Size = 256,
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
    from cxrtool.phantoms import plan, writer

    one = "there is one hospital" if sources == 1 else ""
    effects.refuse(context, {"--confound": one})
    cases = plan(count, labels=chosen(labels), sources=sources, confound=confound, seed=seed)
    if dry_run:
        note(f"would make {count} images of {size} x {size} pixels in {folder}")
        return
    disk.check_output(output)
    orders = [writer.Order(c, size, folder, root, force) for c in cases]
    for part in writer.FOLDERS:
        disk.make_folder(f"{folder}/{part}")
        outputs.current().fill(outputs.FilledFolder("--dir", f"{folder}/{part}"))
    outputs.current().check(path for order in orders for path in order.paths())
    results = parallel.each(writer.make, orders, options.crew(jobs).of(count))
    table.write(output, writer.COLUMNS, whole(bar(results, count, "images", progress)))


def whole(results: "Iterable[list[str] | Lost]") -> "Iterator[list[str]]":
    """Pass the rows on; a phantom that cannot be made ends the run."""
    for row in results:
        if not isinstance(row, list):
            raise BrokenRun(f"a phantom {row.reason}", "Make them smaller, or run it again.")
        yield row


def chosen(text: str) -> list[str]:
    """Read the labels."""
    labels = options.entries("--labels", text)
    if len(set(labels)) < len(labels):
        raise CxrtoolError(f"--labels {text} names a label twice", "Name each once.")
    return labels
