"""Every option that takes a number refuses what is beyond reason, whoever adds one."""

import pytest
import typer

from cxrtool.cli import app
from cxrtool.cli.descriptions import Flag, verbs
from cxrtool.core.errors import CxrtoolError

COMMANDS = app.build().commands
NUMBERS = [
    pytest.param(verb.name, Flag(option).long, id=f"{verb.name} {Flag(option).long}")
    for verb in verbs()
    for option in verb.options
    if option.type_descriptor.annotation in (int, float)
]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", str(10**30), str(-(10**30))])
@pytest.mark.parametrize(("verb", "option"), NUMBERS)
def test_a_number_beyond_reason_is_refused_as_it_is_read(verb, option, value):
    with pytest.raises((typer.TyperException, CxrtoolError)) as refused:
        COMMANDS[verb].make_context(verb, [f"{option}={value}"])
    said = str(refused.value.format_message()) if hasattr(refused.value, "format_message") else ""
    assert option in (said or str(refused.value))
