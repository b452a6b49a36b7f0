"""Add to an error the options of the settings that it is about: libraries know settings alone."""

import contextlib
from collections.abc import Iterator
from typing import Any

from cxrtool.core.errors import CxrtoolError


@contextlib.contextmanager
def added(application: Any, verb: str) -> Iterator[None]:
    """Name the options of a command in the errors that are raised while it runs."""
    try:
        yield
    except CxrtoolError as e:
        if e.settings:
            e.args = (_with_options(str(e), _options(application, verb, e.settings)),)
        raise


def _options(application: Any, verb: str, settings: tuple[str, ...]) -> list[str]:
    """List the options of the settings that a command has; `name=value` is one with its value."""
    parameters = application.commands[verb].params if verb in application.commands else ()
    option = {parameter.name: parameter.opts[0] for parameter in parameters}
    pairs = [setting.partition("=") for setting in settings]
    return [f"{option[name]} {value}".strip() for name, _, value in pairs if name in option]


def _with_options(message: str, options: list[str]) -> str:
    """Add options to a message.

    >>> _with_options("the batch is too small. Use a larger one.", ["--batch"])
    'the batch is too small. Use a larger one (--batch).'
    """
    if not options:
        return message
    end = "." * message.endswith(".")
    return f"{message.removesuffix('.')} ({', '.join(options)}){end}"
