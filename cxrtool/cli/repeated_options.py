"""Options that are given twice, though they take one value."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from cxrtool.cli import file_roles
from cxrtool.cli.file_roles import Role
from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError


def notes(verb: str, command: Any, words: Sequence[str], settings: dict[str, Any]) -> list[str]:
    """Refuse a second input of an option that takes one, and say of others that the last counts.

    A script may put its own options before those of its caller; what is read is never dropped.
    """
    context = command.context_class(command, **settings)
    values, _, order = command.make_parser(context).parse_args(list(words))
    repeated = [
        (parameter, times)
        for parameter, times in Counter(order).items()
        if times > 1 and not getattr(parameter, "is_flag", True) and not parameter.multiple
    ]
    if not repeated:
        return []
    roles = file_roles.parameters(registry.module("commands", verb).run)
    read = {p.name for p in roles if p.role in (Role.READS, Role.SEARCHES)}
    result = []
    for parameter, times in repeated:
        what = f"{parameter.opts[0]} is given {times} times"
        if parameter.name in read:
            raise CxrtoolError(f"{what}, but takes one", "Run the command for each of them.")
        result.append(f"{what}: the last one counts, {values[parameter.name]}")
    return result
