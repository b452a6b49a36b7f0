"""Images that a run was trained on, or others like them: what evaluate refuses and warns of."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cxrtool.commands import _model_inputs
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from cxrtool.files.manifest import Manifest
    from cxrtool.learn.leaks import Seen, Watch


def refuse(source: "Manifest | None", inputs: list[str], seen: "Sequence[Seen]") -> None:
    """Refuse rows that the runs have seen, before anything is made."""
    from cxrtool.learn import leaks

    watch = leaks.Watch(seen)
    if source is None:
        for path in inputs:
            watch.see(_model_inputs.identity(path, seen), True)
    else:
        source.watch = _model_inputs.watching(source, watch)
        for _ in source.rows():
            pass
    result = watch.exposure()
    if sentence := result.sentence or result.trained:
        raise CxrtoolError(sentence, "Leave these rows out, or evaluate without --strict.")
    if result.unchecked:
        remedy = "Give a manifest that says it, or evaluate without --strict."
        raise CxrtoolError(result.unchecked, remedy)


def warn(watch: "Watch") -> None:
    """Say which images are no test."""
    result = watch.exposure()
    if result.own:
        what = f"the run was trained on {result.own} of {result.number} images"
        note(f"warning: {what}: the results are too optimistic")
    if result.sentence:
        note(f"warning: {result.sentence}: the results are too optimistic")
    if result.unchecked:
        note(f"warning: {result.unchecked}")
    elif unrecorded := [run.name for run in watch.runs if run.keeps_no_record]:
        what = f"{unrecorded[0]} keeps no record of its training images"
        note(f"{what}: the columns `split` and `fold` alone say which these are")
