"""What evaluate, cam and tsne read: a manifest, or images that are named one by one."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import counter, note

if TYPE_CHECKING:
    from cxrtool.files.manifest import Manifest, Where
    from cxrtool.files.run_record import About
    from cxrtool.learn.leaks import Seen, Watch
    from cxrtool.learn.prediction import Predictor

    Row = dict[str, str]


def idle_with_images(inputs: list[str]) -> dict[str, str]:
    """Say why options have no effect where images are named in place of a manifest."""
    options_of_rows = ("--where", "--keep-columns")
    return dict.fromkeys(options_of_rows, "images have no columns" if are_images(inputs) else "")


def device_here(device: str, engine: str) -> str:
    """Return the device of this process: with a cluster, --device is that of its workers."""
    from cxrtool.learn import distributed

    if engine == "local":
        return device
    if distributed.processes() > 1:
        what = "several processes cannot share the workers of --engine"
        raise CxrtoolError(what, "Start one, without torchrun.")
    return "cpu"


def idle_without_more(
    source: "Manifest | None", columns: list[str], always: list[str], test: str | None
) -> dict[str, str]:
    """Say why nothing is kept of a manifest, if it has no column beyond those that are written.

    Parameters
    ----------
    source : the manifest; None where images are named.
    columns : what will be written.
    always : what is written of any manifest.
    test : the name of the images, which is a column too.
    """
    if source is None or set(columns) - {*always, *(() if test is None else ("test",))}:
        return {}
    return {"--keep-columns": f"{source.name} has no columns but those that are always written"}


def are_images(inputs: list[str]) -> bool:
    """Tell images from a manifest."""
    from cxrtool.files.manifest import is_manifest

    return bool(inputs) and not is_manifest(inputs[0])


def read(
    inputs: list[str], conditions: "list[Where]", about: "About", root: str | None
) -> "tuple[list[str], Iterator[Row], int | None]":
    """Read a manifest, or take bare images: the columns, the rows, and how many if known."""
    source = opened(inputs, conditions)
    rows = rows_of(source, inputs, about, root)
    return source.columns if source else ["path"], rows, number_of(source, inputs)


def outputs_of_process(
    output: str, failures: str | None, inputs: list[str]
) -> tuple[str, str | None]:
    """Return where this process writes: all work, and the first of them writes."""
    import os

    from cxrtool.learn import distributed

    if distributed.processes() > 1 and inputs in ([], ["-"]):
        raise CxrtoolError("several processes cannot share standard input", "Name a file.")
    return (os.devnull, os.devnull) if distributed.rank() else (output, failures)


def opened(inputs: list[str], conditions: "list[Where]", again: bool = False) -> "Manifest | None":
    """Open a manifest; None where images are named."""
    import os

    from cxrtool.files.manifest import Manifest, input_or_stdin

    if are_images(inputs):
        for path in inputs:
            if os.path.isdir(path):
                remedy = f"Make a manifest of it first: cxrtool ingest {path}"
                raise CxrtoolError(f"{path}: is a folder, not an image", remedy)
        return None
    if len(inputs) > 1:
        what = f"{inputs[0]}: is a manifest, so that {inputs[1]} cannot be taken too"
        raise CxrtoolError(what, "Name one manifest, or images alone.")
    return Manifest(input_or_stdin(inputs[0] if inputs else None), conditions, again=again)


def number_of(source: "Manifest | None", inputs: list[str]) -> int | None:
    """Return how many rows will be read, which the time left needs; None if they are a stream.

    The whole file is read for this, so that a damaged row is found before any work begins.
    """
    if source is None:
        return len(inputs)
    return sum(map(len, source.chunks())) if source.is_repeatable else None


def rows_of(
    source: "Manifest | None",
    inputs: list[str],
    about: "About",
    root: str | None,
    watch: "Watch | None" = None,
) -> "Iterator[Row]":
    """Yield the rows, which `watch` sees, with those of the manifest that are not used.

    Only paths in a manifest are relative to --root. Those of images are written as a manifest under
    that root would have them.
    """
    from cxrtool.files.manifest import relative

    if source is None:
        for path in inputs:
            if watch:
                watch.see(identity(path, watch.runs), True)
            yield {"path": relative(path, root)}
        return
    if watch:
        source.watch = watching(source, watch)
    yield from prepared_alike(source, about.preprocessing)


@contextlib.contextmanager
def counted(number: int | None, predictor: "Predictor", when: str) -> "Iterator[None]":
    """Show how much of so many images every network has looked at."""
    predictor.progress = when
    total = None if number is None else number * predictor.networks
    with counter(total, 0, "predictions", when) as predictor.looked:
        yield


def named(
    test: str | None, kept: list[str], rows: "Iterator[Row]"
) -> "tuple[list[str], Iterator[Row]]":
    """Add the column `test`, if the images have a name."""
    if test is None:
        return kept, rows
    return [*(c for c in kept if c != "test"), "test"], (row | {"test": test} for row in rows)


def watching(source: "Manifest", watch: "Watch") -> "Callable[[list[str], bool], None]":
    """Let `watch` see every row that is read."""
    return lambda cells, used: watch.see(dict(zip(source.columns, cells, strict=True)), used)


def identity(path: str, runs: "Sequence[Seen]") -> "Row":
    """Return the digest of an image that was named, if any of the runs could know it."""
    from cxrtool.core.errors import Unreadable
    from cxrtool.files import image

    if all(run.images is None for run in runs):
        return {}
    try:
        return {"sha256": image.load(path).sha256}
    except Unreadable:
        return {}


def prepared_alike(source: "Manifest", wanted: str) -> "Iterator[dict[str, str]]":
    """Pass the rows on, and say when their images were preprocessed differently."""
    text = False
    for cells in source.rows():
        row = dict(zip(source.columns, cells, strict=True))
        given = row.get("preprocessing", "")
        if given != wanted and not text:
            text = True
            note(
                f"warning: the run was trained on images preprocessed by '{wanted or 'nothing'}', "
                f"these are by '{given or 'nothing'}'"
            )
        yield row
