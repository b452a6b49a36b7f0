"""Options that have no effect in a call: a usage error, worded in one place.

A command says for each of its options why it would have no effect, if so. Only an option that was
typed counts: a default, or a variable of the environment, asks for nothing in this call.
"""

from collections.abc import Mapping

import typer

from cxrtool.core.errors import CxrtoolError

COMMAND_LINE = "COMMANDLINE"


def typed(context: typer.Context) -> set[str]:
    """Return the long names of the options that were typed on the command line."""
    result = set()
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if source is not None and source.name == COMMAND_LINE:
            result |= set(parameter.opts)
    return result


def refuse(context: typer.Context, reasons: Mapping[str, str]) -> None:
    """Refuse the first typed option that has no effect.

    Parameters
    ----------
    context : the call.
    reasons : why an option has no effect, by its long name (a value may follow it after a space);
        an empty reason means that it has one.
    """
    there = typed(context)
    for option, why in reasons.items():
        if why and option.partition(" ")[0] in there:
            raise CxrtoolError(f"{option} has no effect: {why}", "Leave it out.")
