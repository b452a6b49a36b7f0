"""Write man/, completions/ and the README's tables from the command line itself.

`python -m cxrtool.manual` writes them, `--check` exits with 1 if any differs. The completions are
plain scripts: they answer at once, where asking Python would take a quarter of a second a key.
"""

import inspect
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

from cxrtool import __version__, registry
from cxrtool.artifacts import files, text
from cxrtool.cli import ABOUT, build
from cxrtool.errors import ExitCode

MEANING = {
    ExitCode.DONE: "All of it was done.",
    ExitCode.SOME_INPUTS_FAILED: "The run ended, but some inputs failed; each is a line on "
    "standard error and a row of failures.csv. With split --check: there are findings.",
    ExitCode.NOTHING_DONE: "Nothing was done: bad usage, or an input that makes the run "
    "meaningless.",
    ExitCode.BROKE_MIDWAY: "It broke midway for a reason outside the inputs (disk full, out of "
    "memory); what is on the disk is whole, and the same command again goes on from there.",
    ExitCode.INTERRUPTED: "Interrupted; likewise whole and resumable.",
    ExitCode.CLOSED_PIPE: "The reader of standard output went away.",
    ExitCode.TERMINATED: "Terminated; likewise whole and resumable.",
}
FILES = {
    "failures.csv": "Every input that does not reach the output, with columns path, reason and "
    "remedy: in DIR, or beside OUTPUT, or where --failures says. It is the list of the last run "
    "that wrote there.",
}


class Verb:
    """One command as its module and its parameters describe it."""

    def __init__(self, name: str, command: Any) -> None:
        self.name = name
        self.module = registry.module("commands", name)
        self.first, _, self.text = inspect.cleandoc(self.module.__doc__ or "").partition("\n")
        self.arguments = [p for p in command.params if p.param_type_name == "argument"]
        self.options = [p for p in command.params if p.param_type_name == "option"]

    @property
    def summary(self) -> str:
        """The first line, without its data flow."""
        return self.first.rstrip(".").rpartition(" (")[0] or self.first.rstrip(".")

    @property
    def flow(self) -> str:
        """What goes in and what comes out."""
        return self.first.rstrip(".)").rpartition(" (")[2]

    def paragraphs(self) -> Iterator[tuple[bool, str]]:
        """Yield the paragraphs after the first line: (is an example, text)."""
        for paragraph in self.text.strip().split("\n\n"):
            if paragraph.startswith("    "):
                yield True, inspect.cleandoc(paragraph)
            elif paragraph.strip() != "Example:":
                yield False, paragraph

    @property
    def plugins(self) -> tuple[str, str] | None:
        """The folder of the command's choices and the function that takes their options."""
        found: tuple[str, str] | None = getattr(self.module, "PLUGINS", None)
        return found


class Flag:
    """One option as the shells see it."""

    def __init__(self, option: Any) -> None:
        self.long = next(o for o in option.opts if o.startswith("--"))
        self.short = next((o for o in option.opts if not o.startswith("--")), "")
        self.help: str = option.help or ""
        self.metavar = "" if option.is_flag else option.metavar or "VALUE"
        self.repeats = option.multiple
        self.default = option.default
        self.variable = option.envvar
        self.choices = [c.value for c in option.shell_complete(None, "")] if self.metavar else []
        if not self.choices and "|" in self.metavar:
            self.choices = [c for c in self.metavar.split("|") if c.replace("-", "").isalnum()]

    @property
    def kind(self) -> str:
        """What completes the value: choices, file, dir or nothing."""
        if self.choices:
            return "choices"
        return {"FILE": "file", "CSV": "file", "DIR": "dir"}.get(self.metavar, "")


HELP = ("--help", "-h", "Show the help and end.")


def verbs() -> list[Verb]:
    """Describe all commands."""
    return [Verb(name, command) for name, command in build().commands.items()]


# --- man pages ---------------------------------------------------------------------------------


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
    lines += [*_statuses(), *_surroundings(verb), _see_also(verb.name)]
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
    again = " May be given several times." if flag.repeats else ""
    return f".TP\n{names}{value}\n{roff(text + again)}"


def _choice(name: str, options: str, summary: str) -> str:
    spec = f"{name}:{options}" if options else name
    return f".TP\n\\fB{roff(spec)}\\fR\n{roff(summary)}."


def _statuses() -> list[str]:
    return [".SH EXIT STATUS", *(f".TP\n.B {code.value}\n{roff(MEANING[code])}" for code in ExitCode)]


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


def _see_also(name: str = "") -> str:
    others = [n for n in registry.names("commands") if n != name]
    pages = (["cxrtool"] if name else []) + [f"cxrtool-{n}" for n in others]
    listed = ",\n".join(f".BR {roff(p)} (1)" for p in pages)
    research = "Research software, not a medical device."
    return f".SH SEE ALSO\n{listed}\n.SH NOTES\n{research}".replace(" (1),\n", " (1),\n")


def overview(commands: list[Verb]) -> str:
    """Write the man page of cxrtool itself."""
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
    return "\n".join([*lines, *_statuses(), _see_also()]) + "\n"


# --- completions -------------------------------------------------------------------------------


def bash(commands: list[Verb]) -> str:
    """Write the completion for bash."""
    values, flags = [], []
    for verb in commands:
        options = [Flag(o) for o in verb.options]
        for f in options:
            names = "|".join(f'"{verb.name} {n}"' for n in (f.long, f.short) if n)
            if f.kind == "choices":
                values.append(f'        {names}) _cxrtool_words "{" ".join(f.choices)}"; return ;;')
            elif f.kind:
                values.append(f"        {names}) _cxrtool_{f.kind}s; return ;;")
            elif f.metavar:
                values.append(f"        {names}) return ;;")
        listed = " ".join([*(f.long for f in options), HELP[0]])
        flags.append(f'            {verb.name}) _cxrtool_words "{listed}" ;;')
    names = " ".join(v.name for v in commands)
    return BASH.format(values="\n".join(values), flags="\n".join(flags), verbs=names)


BASH = """\
# bash completion for cxrtool; made by cxrtool/manual.py

_cxrtool_words() {{ mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }}
_cxrtool_files() {{ compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }}
_cxrtool_dirs() {{ compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current"); }}

_cxrtool() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
    local verb="" word
    COMPREPLY=()
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$word" in
            -*) ;;
            *) verb="$word"; break ;;
        esac
    done
    # Bash splits --option=value at the sign.
    if [[ "$current" == "=" ]]; then current=""
    elif [[ "$previous" == "=" ]]; then previous="${{COMP_WORDS[COMP_CWORD-2]}}"; fi
    case "$verb $previous" in
{values}
    esac
    if [[ "$current" == -* ]]; then
        case "$verb" in
            "") _cxrtool_words "--help --version" ;;
{flags}
        esac
    elif [[ -z "$verb" ]]; then
        _cxrtool_words "{verbs}"
    else
        _cxrtool_files
    fi
}}

complete -F _cxrtool cxrtool
"""


def zsh(commands: list[Verb]) -> str:
    """Write the completion for zsh."""
    listed = [f"                {_quoted(v.name + ':' + v.summary)}" for v in commands]
    cases = []
    for verb in commands:
        specs = [_zsh_option(Flag(o)) for o in verb.options]
        specs.append(f"'(-h --help)'{{-h,--help}}'[{HELP[2]}]'")
        files = any("COUNT" not in (a.metavar or "") for a in verb.arguments)
        specs.append("'*:file:_files'" if files else "'1:count:'")
        body = " \\\n                        ".join(["_arguments -s", *specs])
        cases.append(f"                {verb.name})\n                    {body} ;;")
    return ZSH.format(verbs="\n".join(listed), cases="\n".join(cases))


ZSH = """\
#compdef cxrtool
# zsh completion for cxrtool; made by cxrtool/manual.py

_cxrtool() {{
    local context state state_descr line
    typeset -A opt_args
    _arguments -C \\
        '(-h --help)'{{-h,--help}}'[Show the help and end.]' \\
        '--version[Print the version.]' \\
        '1:command:->verb' '*::argument:->rest'
    case $state in
        verb)
            local -a verbs
            verbs=(
{verbs}
            )
            _describe command verbs ;;
        rest)
            case $words[1] in
{cases}
            esac ;;
    esac
}}

_cxrtool "$@"
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _zsh_option(flag: Flag) -> str:
    text = flag.help
    for character in "\\[]:":
        text = text.replace(character, "\\" + character)
    value = flag.metavar.replace(":", "\\:")
    how = {"choices": f"({' '.join(flag.choices)})", "file": "_files", "dir": "_files -/"}
    after = f":{value}:{how.get(flag.kind, '')}" if flag.metavar else ""
    many = "*" if flag.repeats else ""
    if flag.short:
        both = f"'({flag.short} {flag.long})'{{{flag.short},{flag.long}}}"
        return both + _quoted(f"[{text}]{after}")
    return _quoted(f"{many}{flag.long}[{text}]{after}")


def fish(commands: list[Verb]) -> str:
    """Write the completion for fish."""
    lines = [
        "# fish completion for cxrtool; made by cxrtool/manual.py",
        "complete -c cxrtool -f",
        "complete -c cxrtool -n __fish_use_subcommand -l version -d 'Print the version.'",
        f"complete -c cxrtool -s h -l help -d '{HELP[2]}'",
    ]
    for verb in commands:
        about = _fish(verb.summary)
        lines.append(f"complete -c cxrtool -n __fish_use_subcommand -a {verb.name} -d {about}")
    for verb in commands:
        seen = f"complete -c cxrtool -n '__fish_seen_subcommand_from {verb.name}'"
        if any("COUNT" not in (a.metavar or "") for a in verb.arguments):
            lines.append(f"{seen} -F")
        lines += [f"{seen} {_fish_option(Flag(o))}" for o in verb.options]
    return "\n".join(lines) + "\n"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish_option(flag: Flag) -> str:
    short = f"-s {flag.short[1:]} " if flag.short else ""
    how = {
        "choices": f"-x -a {_fish(' '.join(flag.choices))} ",
        "file": "-r -F ",
        "dir": "-x -a '(__fish_complete_directories)' ",
        "": "-x " if flag.metavar else "",
    }[flag.kind]
    return f"{short}-l {flag.long[2:]} {how}-d {_fish(flag.help)}"


# --- README ------------------------------------------------------------------------------------


def tables(readme: str, commands: list[Verb]) -> str:
    """Put the generated tables between their marks in the README."""
    rows = [f"| [`{v.name}`](man/cxrtool-{v.name}.1) | {v.flow} | {v.summary} |" for v in commands]
    made = {"commands": ["| command | from -> to | what it does |", "|---|---|---|", *rows]}
    for verb in commands:
        if verb.plugins:
            folder = verb.plugins[0]
            choices = [f"| `{n}` | {s} |" for n, _, s in registry.listing(*verb.plugins)]
            made[folder] = [f"| {folder} | |", "|---|---|", *choices]
    for mark, lines in made.items():
        start, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
        before, _, rest = readme.partition(start)
        after = rest.partition(end)[2]
        readme = before + start + "\n".join(lines) + "\n" + end + after
    return readme


def generated(root: str) -> dict[str, str]:
    """Make every generated file: its path and its text."""
    commands = verbs()
    made = {f"man/cxrtool-{v.name}.1": page(v) for v in commands}
    made["man/cxrtool.1"] = overview(commands)
    made["completions/cxrtool.bash"] = bash(commands)
    made["completions/_cxrtool"] = zsh(commands)
    made["completions/cxrtool.fish"] = fish(commands)
    readme = text.read_text(os.path.join(root, "README.md"))
    made["README.md"] = tables(readme, commands)
    return {os.path.join(root, path): content for path, content in made.items()}


def main(arguments: list[str]) -> int:
    """Write the generated files, or with --check tell which differ."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    drifted = 0
    for path, wanted in generated(root).items():
        if os.path.exists(path) and text.read_text(path) == wanted:
            continue
        drifted += 1
        if "--check" in arguments:
            print(f"{os.path.relpath(path, root)} differs from the command line: run make manual")
        else:
            files.make_folder(os.path.dirname(path))
            with files.atomic(path) as file:
                file.write(wanted.encode())
    return int(bool(drifted) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
