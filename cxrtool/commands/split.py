"""Assign every patient to train, val or test (manifest -> manifest).

All images of a patient go to the same part, and so do all images of the same picture (equal
`dup_group` or `sha256`). Classes are spread evenly over the parts (--stratify). The result depends
on the seed and not on the order of the rows.

Designs: hold-out (--test, --val; default 0.2 and 0.1), cross-validation (--folds K; --unseen F
reserves a final test set), one fold per source (--leave-out source), external test (--test-where
source=hannover), and the image-level split of the papers (--paper image), which reports what it
leaks. With folds, `split` is `train` and the column `fold` has the number of the fold.

Each part differs from its target size by at most the largest patient's image count. Where possible,
every class occurs in every part. With few patients who have many images, different seeds may give
the same split.

As ingest does, it warns if a class occurs in one source only, or if source, file format or image
size alone predict the label.

Example:

    cxrtool split cohen.csv --test 0.3 --val 0.2 -o split.csv
    cxrtool split cohen.csv --folds 10 --unseen 1/11 --stratify label,source > folds.csv
    cxrtool split --check split.csv

--check writes one row a finding (finding,column,value,parts,rows) and exits with 1 if there is any.
"""

import itertools
import sys
from typing import TYPE_CHECKING, NoReturn

import typer

from cxrtool.cli import effects, option_values, options
from cxrtool.commands import _split_options
from cxrtool.core.errors import ExitCode, Skip
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cxrtool.data.partition import RowParts
    from cxrtool.data.split_design import Design
    from cxrtool.files.failures import Failures
    from cxrtool.files.manifest import Manifest


def run(
    context: typer.Context,
    manifest: options.Manifest = None,
    test: _split_options.Test = None,
    val: _split_options.Val = None,
    folds: _split_options.Folds = None,
    unseen: _split_options.Unseen = None,
    leave_out: _split_options.LeaveOut = None,
    test_where: _split_options.TestWhere = None,
    group: _split_options.Group = "patient",
    stratify: _split_options.Stratify = None,
    balance: _split_options.Balance = None,
    cap: _split_options.Cap = None,
    paper: _split_options.Paper = None,
    straddle: _split_options.Straddle = "refuse",
    check: _split_options.Check = False,
    where: options.Where = None,
    seed: options.Seed = 0,
    output: options.Output = "-",
    failures: options.Failures = None,
    dry_run: options.DryRun = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    from cxrtool.data.split_design import Design
    from cxrtool.files import disk
    from cxrtool.files.manifest import Manifest, input_or_stdin

    disk.check_output(output)
    source, conditions = input_or_stdin(manifest), option_values.conditions("--where", where)
    if check:
        effects.refuse(context, idle_with_check(effects.typed(context)))
        judge(Manifest(source, conditions, again=True), output, dry_run)
    effects.refuse(context, idle(leave_out, bool(test_where), paper, group))
    design = Design(
        test=option_values.fraction("--test", test),
        val=option_values.fraction("--val", val),
        folds=folds,
        unseen=option_values.fraction("--unseen", unseen),
        leave_out=leave_out,
        test_where=option_values.conditions("--test-where", test_where),
        group=group,
        stratify=read_stratify(stratify),
        balance=balance,
        caps=[option_values.count("--cap", c) for c in cap or ()],
        leaky=paper is not None,
        drop_straddlers=straddle == "drop",
        seed=seed,
    )
    effects.refuse(context, idle_without_chance(design))
    divide(Manifest(source, conditions, again=True), design, output, failures, dry_run)


def read_stratify(text: str | None) -> list[str] | None:
    """Read the columns to spread evenly; None leaves the choice to the design."""
    if text is None:
        return None
    return [] if text == "none" else option_values.entries("--stratify", text)


# What is of use with --check.
JUDGING = {"--check", "--where", "--output", "--dry-run", "--quiet", "--verbose"}


def idle_with_check(typed: set[str]) -> dict[str, str]:
    """Say why other options have no effect with --check."""
    others = sorted(option for option in typed - JUDGING if option.startswith("--"))
    return dict.fromkeys(others, "--check judges the split that is there, and makes none")


def idle(leave_out: str | None, external: bool, paper: str | None, group: str) -> dict[str, str]:
    """Say why options have no effect with a design."""
    alone = "--paper image divides image by image" if paper else ""
    single = "--group none divides row by row" if group == "none" else ""
    named = "" if leave_out or external else "without --test-where or --leave-out nobody straddles"
    return {"--straddle": named or alone or single, "--group": alone}


def idle_without_chance(design: "Design") -> dict[str, str]:
    """Say why options have no effect where the design names the part of every row."""
    named = "" if design.spreads else "the design names the part of every row"
    return {
        "--stratify": named,
        "--seed": "" if design.caps or design.balance else named,
    }


def judge(manifest: "Manifest", output: str, dry_run: bool) -> NoReturn:
    """Write one row a finding, and exit with 1 if there is any."""
    from cxrtool.data import split_check
    from cxrtool.files import table, unread_columns

    unread_columns.warn([manifest], ("patient",))
    findings = split_check.check(manifest)
    if not dry_run:
        table.write(output, split_check.COLUMNS, findings)
    raise typer.Exit(ExitCode.SOME_INPUTS_FAILED if findings else ExitCode.DONE)


def divide(
    manifest: "Manifest", design: "Design", output: str, failures: str | None, dry_run: bool
) -> None:
    """Divide the manifest and write it with its parts."""
    from cxrtool.data import partition, split_rows
    from cxrtool.files import table, unread_columns
    from cxrtool.files.failures import Failures
    from cxrtool.stats import label_traps

    unread_columns.warn([manifest], ("source",))
    rows = split_rows.SplitRows(manifest, design)
    plan = partition.divide(rows, design)
    partition.note_parts(rows, design, plan)
    traps = label_traps.of_rows(rows.label_columns, plan.used)
    if warning := label_traps.warning_of_images(traps):
        note(warning)
    if not dry_run:
        skipped = Failures(failures, output=output)
        wanted = ["split", "fold"] if any(p.fold for p in plan.parts) else ["split"]
        added = [c for c in wanted if c not in manifest.columns]
        table.write(output, manifest.columns + added, with_parts(manifest, plan, skipped))
        skipped.close()


def with_parts(
    manifest: "Manifest", plan: "RowParts", skipped: "Failures"
) -> "Iterator[list[str]]":
    """Yield the rows with their part, as often as each is used; note those that are not."""
    columns, with_folds = manifest.columns, any(p.fold for p in plan.parts)
    # The places of the two columns: an old one is overwritten, so that no fold of another
    # split stays; a new one is appended, which is what a slice at the end does.
    cells: list[tuple[slice, list[list[str]]]] = []
    for column, needed in (("split", True), ("fold", with_folds)):
        values = [[getattr(part, column)] for part in plan.parts]
        if column in columns:
            at = columns.index(column)
            cells.append((slice(at, at + 1), values))
        elif needed:
            cells.append((slice(sys.maxsize, None), values))
    per_row = zip(plan.part.tolist(), plan.times.tolist(), plan.reason.tolist(), strict=True)
    rows = itertools.chain.from_iterable(manifest.chunks())
    for row, (part, times, reason) in zip(rows, per_row, strict=True):
        if not times:
            path = row[columns.index("path")]
            skipped.add(Skip(path, plan.reasons[reason], failed=False))
            continue
        for place, values in cells:
            row[place] = values[part]
        for _ in range(times):
            yield row
