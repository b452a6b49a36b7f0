"""Completion scripts for bash, zsh and fish, written from the command line.

They are plain scripts: they answer at once, where asking Python would take a quarter of a second
a key.
"""

from cxrtool.cli.descriptions import HELP, Flag, Verb


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
    words = [
        f'        {v.name}) _cxrtool_words "{" ".join(v.words)}" ;;' for v in commands if v.words
    ]
    return BASH.format(
        values="\n".join(values),
        flags="\n".join(flags),
        words="\n".join(words),
        verbs=" ".join(v.name for v in commands),
    )


BASH = """\
# bash completion for cxrtool; made by cxrtool.cli.manual

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
        return
    fi
    case "$verb" in
        "") _cxrtool_words "{verbs}" ;;
{words}
        *) _cxrtool_files ;;
    esac
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
        specs.append(_zsh_argument(verb))
        body = " \\\n                        ".join(["_arguments -s", *specs])
        cases.append(f"                {verb.name})\n                    {body} ;;")
    return ZSH.format(verbs="\n".join(listed), cases="\n".join(cases))


ZSH = """\
#compdef cxrtool
# zsh completion for cxrtool; made by cxrtool.cli.manual

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


def _zsh_argument(verb: Verb) -> str:
    if verb.words:
        return f"'1:name:({' '.join(verb.words)})'"
    return "'*:file:_files'" if verb.takes_files else "'1:count:'"


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
        "# fish completion for cxrtool; made by cxrtool.cli.manual",
        "complete -c cxrtool -f",
        "complete -c cxrtool -n __fish_use_subcommand -l version -d 'Print the version.'",
        f"complete -c cxrtool -s h -l help -d '{HELP[2]}'",
    ]
    for verb in commands:
        about = _fish(verb.summary)
        lines.append(f"complete -c cxrtool -n __fish_use_subcommand -a {verb.name} -d {about}")
    for verb in commands:
        seen = f"complete -c cxrtool -n '__fish_seen_subcommand_from {verb.name}'"
        if verb.words:
            lines.append(f"{seen} -a {_fish(' '.join(verb.words))}")
        elif verb.takes_files:
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
