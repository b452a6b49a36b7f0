"""The commands as their help describes them, for everything that is generated from it."""

import inspect
from collections.abc import Iterator
from typing import Any

from cxrtool.cli.app import build
from cxrtool.core import registry


class Verb:
    """One command as its module and its parameters describe it."""

    def __init__(self, name: str, command: Any) -> None:
        self.name = name
        self.module = registry.module("commands", name)
        self.first, _, self.text = inspect.cleandoc(self.module.__doc__ or "").partition("\n")
        self.arguments = [p for p in command.params if p.param_type_name == "argument"]
        self.options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]

    @property
    def summary(self) -> str:
        """The first line, without its data flow."""
        return self.first.rstrip(".").rpartition(" (")[0] or self.first.rstrip(".")

    @property
    def flow(self) -> str:
        """What goes in and what comes out."""
        return self.first.rstrip(".)").rpartition(" (")[2]

    @property
    def words(self) -> list[str]:
        """The names that its argument may have, where these are known."""
        return [c.value for a in self.arguments for c in a.shell_complete(None, "")]

    @property
    def takes_files(self) -> bool:
        """Whether its arguments are files."""
        return not self.words and any("COUNT" not in (a.metavar or "") for a in self.arguments)

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
        result: tuple[str, str] | None = getattr(self.module, "PLUGINS", None)
        return result


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
