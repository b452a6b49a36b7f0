"""Run the whole chain on phantoms and explain the result (nothing -> a page).

In the training set of two phantom hospitals, each class comes from its own hospital. Three networks
are trained: on whole images, on the lungs alone, and on images without lungs. They are evaluated on
held-out patients of the same hospitals and on new patients of three hospitals: these two and a new
one, each with both classes. DIR/index.html explains the results: the first look excellent, the
second do not, and why.

Every command is printed before it runs. --dry-run prints all of them as a shell script instead. The
demo takes a few minutes on two cores and 150 MB. A demo that was stopped continues when it is run
again.

Example:

    cxrtool demo -d demo
    cxrtool demo -d demo --dry-run > demo.sh
"""

import typer

from cxrtool.cli import options


def run(
    folder: options.Dir,
    dry_run: options.DryRun = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    import os

    from cxrtool.demo import chain
    from cxrtool.files import disk

    disk.check_output("-")
    if dry_run:
        with disk.standard_output():
            for line in chain.script(folder):
                print(line)
        return
    there = os.path.abspath(folder)
    code = chain.run(folder, ["-q"] * quiet)
    if code:
        raise typer.Exit(code)
    from cxrtool.demo import page

    with disk.standard_output():
        print(page.write(there))
