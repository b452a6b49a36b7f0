"""Write man/, completions/ and the tables of the README and the guides from the command line.

`python -m cxrtool.cli.manual` writes them, `--check` exits with 1 if any differs.
"""

import os
import re
import sys
from collections.abc import Sequence
from typing import Any

import cxrtool
from cxrtool import __version__
from cxrtool.cli import completions, guides, man_facts
from cxrtool.cli.app import ABOUT
from cxrtool.cli.descriptions import HELP, Flag, Verb, verbs
from cxrtool.core import registry
from cxrtool.core.errors import ExitCode
from cxrtool.files import disk, formats, text
from cxrtool.recipes import library

FORMATS = ("manifest", "run")
GUIDES = "man/guides"
CSV = (
    "UTF-8 CSV with a header (RFC 4180; a byte order mark and CRLF are read too), one row an "
    "image. Cells are text and never guessed at: patient 007 stays 007."
)
FILES = {
    "failures.csv": "Every input that does not reach the output, with columns path, reason and "
    "remedy: in DIR, or beside OUTPUT, or where --failures says. Commands that share the folder "
    "share the list: the fourth column, command, names the command and its files, and the same "
    "command given again replaces its own rows. A file that --failures names is of one run alone.",
}


def roff(text: str) -> str:
    """Escape a text for man; a hyphen stays the hyphen of the shell."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", text)
    lines = (f"\\&{line}" if line[:1] in ".'" else line for line in text.split("\n"))
    return "\n".join(lines)


def page(verb: Verb) -> str:
    """Write the man page of one command."""
    usage = " ".join(_usage(a.metavar or a.name.upper()) for a in verb.arguments)
    lines = [
        f'.TH CXRTOOL\\-{verb.name.upper()} 1 "" "cxrtool {__version__}" "cxrtool manual"',
        f".SH NAME\ncxrtool\\-{verb.name} \\- {roff(verb.summary)}",
        f".SH SYNOPSIS\n.B cxrtool {verb.name}\n[\\fIOPTIONS\\fR] {usage}",
        f".SH DESCRIPTION\nFrom {roff(verb.flow.replace('->', 'to'))}.",
    ]
    lines += [f".PP\n{roff(text)}" for example, text in verb.paragraphs() if not example]
    lines += [".SH ARGUMENTS", *(_argument(a) for a in verb.arguments)]
    lines += [".SH OPTIONS", *(_option(Flag(o)) for o in verb.options)]
    lines += [f".TP\n\\fB{roff(HELP[1])}\\fR, \\fB{roff(HELP[0])}\\fR\n{HELP[2]}"]
    if verb.plugins:
        lines += [f".SH CHOICES\nThe {verb.plugins[0]}, with their options and defaults:"]
        lines += [_choice(*choice) for choice in registry.listing(*verb.plugins)]
    examples = [text for example, text in verb.paragraphs() if example]
    if examples:
        lines += [".SH EXAMPLES", *(f".nf\n{roff(text)}\n.fi" for text in examples)]
    has_failures = any(Flag(option).long == "--failures" for option in verb.options)
    lines += _statuses(man_facts.meanings(verb.name, has_failures))
    lines += [*_surroundings(verb), _see_also(verb.name)]
    return "\n".join(lines) + "\n"


def _usage(metavar: str) -> str:
    return f"[\\fI{metavar}\\fR]" if metavar == "MANIFEST" else f"\\fI{roff(metavar)}\\fR"


def _argument(argument: Any) -> str:
    return f".TP\n\\fI{roff(argument.metavar)}\\fR\n{roff(argument.help)}"


def _option(flag: Flag) -> str:
    names = ", ".join(f"\\fB{roff(n)}\\fR" for n in (flag.short, flag.long) if n)
    value = f" \\fI{roff(flag.metavar)}\\fR" if flag.metavar else ""
    default = flag.default if flag.metavar and flag.default not in (None, "") else None
    text = flag.help + (f" [default: {default}]" if default is not None else "")
    again = " May be given several times." if flag.repeats and "May be repeated" not in text else ""
    return f".TP\n{names}{value}\n{roff(text + again)}"


def _choice(name: str, options: str, summary: str) -> str:
    spec = f"{name}:{options}" if options else name
    return f".TP\n\\fB{roff(spec)}\\fR\n{roff(summary)}."


def _statuses(meanings: dict[ExitCode, str]) -> list[str]:
    summary = (f".TP\n.B {code.value}\n{roff(text)}" for code, text in meanings.items())
    return [".SH EXIT STATUS", *summary]


def _surroundings(verb: Verb) -> list[str]:
    flags = [Flag(o) for o in verb.options]
    lines = []
    if any(f.long == "--failures" for f in flags):
        lines += [".SH FILES", *(f".TP\n.I {name}\n{roff(text)}" for name, text in FILES.items())]
    variables = [f for f in flags if f.variable]
    if variables:
        lines += [".SH ENVIRONMENT"]
        lines += [f".TP\n.B {f.variable}\nDefault of {roff(f.long)}." for f in variables]
    return lines


def _see_also(name: str = "", form: str = "", guides: Sequence[str] = ()) -> str:
    others = [n for n in registry.names("commands") if n != name]
    pages = (["cxrtool"] if name else []) + [f"cxrtool-{n}" for n in others]
    read_on = [f".BR cxrtool\\-{guide} (7)" for guide in man_facts.GUIDES.get(name, guides)]
    formats = [f".BR cxrtool\\-{other} (5)" for other in FORMATS if other != form]
    commands = [f".BR {roff(p)} (1)" for p in pages]
    # The page of cxrtool itself lists its commands first, that of a command its guides.
    parts = (commands, formats, read_on) if guides else (read_on, commands, formats)
    listed = ",\n".join(line for part in parts for line in part)
    research = "Research software, not a medical device."
    return f".SH SEE ALSO\n{listed}\n.SH NOTES\n{research}"


def format_page(name: str, summary: str, parts: dict[str, tuple[str, dict[str, str]]]) -> str:
    """Write the man page of a format: under each heading a text, then names and meanings."""
    lines = [
        f'.TH CXRTOOL\\-{name.upper()} 5 "" "cxrtool {__version__}" "cxrtool manual"',
        f".SH NAME\ncxrtool\\-{name} \\- {roff(summary)}",
    ]
    for heading, (intro, meanings) in parts.items():
        lines += [f".SH {heading}\n{roff(intro)}"]
        lines += [f".TP\n.B {roff(key)}\n{roff(meaning)}" for key, meaning in meanings.items()]
    return "\n".join([*lines, _see_also(form=name)]) + "\n"


def formats_pages() -> dict[str, str]:
    """Write the man pages of section 5."""
    manifest = {
        "DESCRIPTION": (CSV, {}),
        "COLUMNS": (
            "Unknown is the empty cell. Columns that a command does not know pass through "
            "it untouched, in their order.",
            formats.MANIFEST,
        ),
        "PREDICTIONS": (
            "What evaluate writes and compare reads. Any other tool may write it.",
            formats.PREDICTIONS,
        ),
        "FAILURES": (
            "The list of the inputs that did not reach an output, failures.csv.",
            formats.FAILURES,
        ),
    }
    run = {
        "DESCRIPTION": (
            "The folder that train makes. Any file in it may be hostile: reading one "
            "never executes anything, and a damaged one is refused by name. A run "
            "made by one version of cxrtool is read by the next.",
            {},
        ),
        "FILES": ("", formats.RUN),
        "RUN.JSON": ("", formats.FIELDS),
    }
    return {
        "man/cxrtool-manifest.5": format_page("manifest", "a table of images", manifest),
        "man/cxrtool-run.5": format_page("run", "a trained network and its record", run),
    }


def overview(commands: list[Verb], guides: Sequence[str]) -> str:
    """Write the man page of cxrtool itself, which names all guides."""
    first, *rest = ABOUT.strip().split("\n\n")
    lines = [
        f'.TH CXRTOOL 1 "" "cxrtool {__version__}" "cxrtool manual"',
        f".SH NAME\ncxrtool \\- {roff(first[0].lower() + first[1:].rstrip('.'))}",
        ".SH SYNOPSIS\n.B cxrtool\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]",
        ".SH DESCRIPTION",
    ]
    for paragraph in rest[:-1]:
        example = paragraph.startswith("    ")
        lines.append(f".PP\n.nf\n{roff(paragraph)}\n.fi" if example else f".PP\n{roff(paragraph)}")
    lines.append(".SH COMMANDS")
    lines += [f".TP\n\\fBcxrtool\\-{v.name}\\fR(1)\n{roff(v.summary)}." for v in commands]
    lines += [*_statuses(man_facts.of_all_commands()), _see_also(guides=guides)]
    return "\n".join(lines) + "\n"


def tables(commands: list[Verb]) -> dict[str, list[str]]:
    """Make the tables that stand in the README and in the guides, by their marks."""
    rows = [f"| [`{v.name}`](man/cxrtool-{v.name}.1) | {v.flow} | {v.summary} |" for v in commands]
    result = {"commands": ["| command | from -> to | what it does |", "|---|---|---|", *rows]}
    for verb in commands:
        if verb.plugins:
            choices = [f"| `{n}` | {s} |" for n, _, s in registry.listing(*verb.plugins)]
            result[verb.plugins[0]] = ["| name | what it is |", "|---|---|", *choices]
    checks = []
    for name in registry.names("checks"):
        kind = registry.module("checks", name).KIND
        checks.append(f"| `{name}` | {kind} | {registry.summary('checks', name)} |")
    result["checks"] = ["| check | kind | what it asks |", "|---|---|---|", *checks]
    recipes = [f"| {r.id} | `{r.name}` | {r.paper} | {r.needs} |" for r in library.every()]
    result["recipes"] = ["| id | name | paper | needs |", "|---|---|---|---|", *recipes]
    return result


def guide_names(root: str) -> list[str]:
    """List the guides by name."""
    files = os.listdir(os.path.join(root, GUIDES))
    return sorted(file.removesuffix(".md") for file in files if file.endswith(".md"))


def documents(root: str, commands: list[Verb]) -> dict[str, str]:
    """Fill the tables of the README and of the guides; write the guides as man pages."""
    names = guide_names(root)
    paths = ["README.md", *(f"{GUIDES}/{name}.md" for name in names)]
    pages = {path: text.read_text(os.path.join(root, path)) for path in paths}
    files = guides.filled(pages, tables(commands))
    for name in names:
        page = guides.man_page(name, files[f"{GUIDES}/{name}.md"], __version__)
        files[f"man/cxrtool-{name}.7"] = page
    return files


def generated(root: str) -> dict[str, str]:
    """Make every generated file: its path and its text."""
    commands = verbs()
    files = {f"man/cxrtool-{v.name}.1": page(v) for v in commands}
    files["man/cxrtool.1"] = overview(commands, guide_names(root))
    files |= formats_pages()
    files["completions/cxrtool.bash"] = completions.bash(commands)
    files["completions/_cxrtool"] = completions.zsh(commands)
    files["completions/cxrtool.fish"] = completions.fish(commands)
    files |= documents(root, commands)
    return {os.path.join(root, path): content for path, content in files.items()}


ROOT = os.path.dirname(os.path.dirname(cxrtool.__file__))


def main(arguments: list[str], root: str = ROOT) -> int:
    """Write the generated files, or with --check tell which differ."""
    drifted = 0
    for path, wanted in generated(root).items():
        if os.path.exists(path) and text.read_text(path) == wanted:
            continue
        drifted += 1
        if "--check" in arguments:
            print(f"{os.path.relpath(path, root)} differs from the command line: run make manual")
        else:
            disk.make_folder(os.path.dirname(path))
            with disk.atomic(path) as file:
                file.write(wanted.encode())
    return int(bool(drifted) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
