"""Run the whole chain on phantoms, and tell what it shows (nothing -> a page).

Two phantom hospitals make a training set in which each class has its own; three networks learn
from it: from the images as they are, from the lungs alone, and from images without lungs. They are
judged on held-out patients of these hospitals, and on new ones. DIR/index.html tells the story:
the first figures look wonderful, the others do not, and why.

Every command is printed before it runs; --dry-run prints them all as a shell script instead. A few
minutes on two cores, 150 MB. The same command again goes on where it stopped.

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

    from cxrtool.demo import chain, page
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
    with disk.standard_output():
        print(page.write(there))
