"""Plug-ins: every file of a folder is a choice, named as the user types it.

A SPEC is `NAME[:KEY=VALUE[,KEY=VALUE...]]`. The keys, their types, ranges and defaults are the
keyword-only parameters of the plug-in's function, so a plug-in is one file and nothing else.
"""

import difflib
import importlib
import importlib.util
import inspect
import math
import pkgutil
import types
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from cxrtool.core import commas, outputs
from cxrtool.core.errors import CxrtoolError

# So many letters are a beginning: fewer begin too many names.
BEGUN = 3
# The subpackage of each kind of plug-in; the others are at the top of the package.
FOLDERS = {
    "architectures": "learn.architectures",
    "checks": "audit.checks",
    "collections": "data.collections",
    "equalizers": "preprocess.equalizers",
    "heatmaps": "explain.heatmaps",
    "segmenters": "preprocess.segmenters",
    "trackers": "files.trackers",
}
YES, NO = {"yes", "true", "on", "1"}, {"no", "false", "off", "0"}


@dataclass(frozen=True)
class Between:
    """The range of a number, as `Annotated[float, Between(0, 1)]`."""

    low: float
    high: float


class File(str):
    """A file that an option names."""


@dataclass(frozen=True)
class Option:
    """One KEY of a plug-in."""

    name: str
    kind: Any
    default: Any
    between: Between | None

    def __str__(self) -> str:
        """Show the key as it is typed, with its default."""
        return self.name if self.default is inspect.Parameter.empty else f"{self.name}={self.shown}"

    @property
    def attribute(self) -> str:
        """The parameter behind the key."""
        return self.name.replace("-", "_")

    @property
    def shown(self) -> str:
        """The default as the user would type it."""
        return self.typed(self.default)

    @staticmethod
    def typed(value: Any) -> str:
        """Write a value as the user would type it."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        return "" if value is None else str(value)


def names(folder: str) -> list[str]:
    """List the choices of a folder of the package (`collections`), without importing any."""
    package = importlib.import_module(_package(folder))
    modules = (m.name for m in pkgutil.iter_modules(package.__path__))
    return sorted(_typed(n) for n in modules if not n.startswith("_"))


def _package(folder: str) -> str:
    """Return the package that holds a folder of plug-ins."""
    return f"cxrtool.{FOLDERS.get(folder, folder)}"


def _typed(module: str) -> str:
    """Write a module's name as the user types it: `gradcam_plus_plus` is gradcam++."""
    return module.replace("_plus", "+").replace("_", "-")


def module(folder: str, name: str) -> types.ModuleType:
    """Import one plug-in by the name that the user types."""
    return importlib.import_module(_module_name(folder, name))


def _module_name(folder: str, name: str) -> str:
    file = name.replace("+", "_plus").replace("-", "_")
    return f"{_package(folder)}.{file}"


def docstring(folder: str, name: str) -> str:
    """Read the docstring of a plug-in, which begins its file, without importing it."""
    spec = importlib.util.find_spec(_module_name(folder, name))
    source = spec and spec.loader and getattr(spec.loader, "get_source", None)
    text = source(spec.name) if spec and source else None
    if not text or not text.startswith('"""'):
        return module(folder, name).__doc__ or ""
    return str(text.split('"""', 2)[1])


def summary(folder: str, name: str) -> str:
    """Take the first line of a plug-in's docstring."""
    return (inspect.getdoc(module(folder, name)) or "").partition("\n")[0].rstrip(".")


def options(function: Callable[..., Any]) -> list[Option]:
    """Read the keys that a plug-in takes off its keyword-only parameters."""
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    keyword = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    return [_option(p, hints[p.name]) for p in keyword]


def _option(parameter: inspect.Parameter, hint: Any) -> Option:
    between = None
    if hasattr(hint, "__metadata__"):
        between = next((m for m in hint.__metadata__ if isinstance(m, Between)), None)
        hint = hint.__origin__
    return Option(parameter.name.replace("_", "-"), hint, parameter.default, between)


def load(
    folder: str, spec: str, function: str, what: str = ""
) -> tuple[str, types.ModuleType, dict[str, Any]]:
    """Read a SPEC: the plug-in's name, its module, and the options given, of the right types.

    `what` names the SPEC in messages; without it, it is called after its folder.
    """
    name, given = _parts(spec)
    # Many names are known with underscores from the libraries they come from.
    name = name.replace("_", "-")
    choose(what or folder.rstrip("s"), name, names(folder))
    plugin = module(folder, name)
    known = {o.name: o for o in options(getattr(plugin, function))}
    return name, plugin, _read(name, given, known)


def pick(
    what: str, spec: str, functions: Mapping[str, Callable[..., Any]]
) -> tuple[str, Callable[..., Any], dict[str, Any]]:
    """Read a SPEC whose choices are functions: the name, the function and the options given."""
    name, pairs = _parts(spec)
    choose(what, name, functions)
    known = {o.name: o for o in options(functions[name])}
    return name, functions[name], _read(name, pairs, known)


def _parts(spec: str) -> tuple[str, list[str]]:
    """Cut a SPEC into its name and its options."""
    name, colon, rest = spec.partition(":")
    return name, commas.split(rest) if colon else []


def _read(name: str, pairs: list[str], known: dict[str, Option]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals and known and not given:
            # A bare value goes to the first key: `stack:beasf+clahe+raw`.
            key, value = next(iter(known)), key
        if not known:
            raise CxrtoolError(f"'{name}' takes no options, not '{pair}'", f"Write '{name}' alone.")
        choose(f"option of {name}", key, known)
        if known[key].attribute in given:
            raise CxrtoolError(f"'{name}' has {key} twice", "Give it once.")
        given[known[key].attribute] = convert(known[key], value)
    for option in known.values():
        if option.default is inspect.Parameter.empty and option.attribute not in given:
            spec = f"{name}:{option.name}={_describe(option).split()[-1].upper()}"
            raise CxrtoolError(f"'{name}' needs {option.name}", f"Write it as {spec}.")
    return given


def canonical(name: str, function: Callable[..., Any], given: dict[str, Any]) -> str:
    """Write a SPEC with all of its options, so that equal choices are equal texts."""
    values = (f"{o.name}={o.typed(given.get(o.attribute, o.default))}" for o in options(function))
    return f"{name}:{','.join(values)}".rstrip(":")


def convert(option: Option, text: str) -> Any:
    """Give a value its option's type; CxrtoolError says what the option takes."""
    try:
        value = _convert(option.kind, text)
    except ValueError:
        raise _refused(option, text) from None
    limits = option.between
    if limits and value is not None and not limits.low <= value <= limits.high:
        raise _refused(option, text)
    return value


def _refused(option: Option, text: str) -> CxrtoolError:
    what = f"{option.name}={text} is not {_describe(option)}"
    return CxrtoolError(what, f"Its default is {option.shown or 'none'}.")


def _convert(kind: Any, text: str) -> Any:
    if get_origin(kind) is Literal:
        by_name = {str(v): v for v in get_args(kind)}
        if text not in by_name:
            raise ValueError
        return by_name[text]
    if get_origin(kind) in (Union, types.UnionType):
        return None if text in ("", "none") else _convert(get_args(kind)[0], text)
    if kind is bool:
        if text.lower() not in YES | NO:
            raise ValueError
        return text.lower() in YES
    if kind is File:
        outputs.current().protect(text, "which is read", later=True)
    value = kind(text)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError
    return value


def _describe(option: Option) -> str:
    kind = option.kind
    if get_origin(kind) in (Union, types.UnionType):
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return "one of: " + ", ".join(str(v) for v in get_args(kind))
    article = {int: "a whole number", float: "a number", bool: "yes or no", File: "a file"}.get(
        kind, "a text"
    )
    limits = option.between
    return article if limits is None else f"{article} from {limits.low:g} to {limits.high:g}"


def choose(
    what: str, given: str, valid: Collection[str], *, settings: Collection[str] = ()
) -> None:
    """Refuse a name that is not valid; `settings` are those of the error."""
    if given not in valid:
        raise unknown(what, given, valid, settings=settings)


def unknown(
    what: str, given: str, valid: Collection[str], *, settings: Collection[str] = ()
) -> CxrtoolError:
    """Make the error for an unknown name: it lists the valid names and the nearest of them."""
    near = nearest(given, valid)
    hint = f"Did you mean '{near}'?" if near else "Choose one of them."
    what = f"{what} '{given}' is not one of: {', '.join(valid)}"
    return CxrtoolError(what, hint, settings=settings)


def nearest(given: str, valid: Collection[str]) -> str:
    """Return the name that was most likely meant, in whatever case it was typed; or nothing.

    A name that begins with what was typed is meant rather than one that looks more like it.
    """
    by_case = {name.lower(): name for name in valid}
    begun = [name for name in by_case if len(given) >= BEGUN and name.startswith(given.lower())]
    near = difflib.get_close_matches(given.lower(), begun, 1, 0) or difflib.get_close_matches(
        given.lower(), list(by_case), 1, 0.6
    )
    return by_case[near[0]] if near else ""


def listing(folder: str, function: str) -> list[tuple[str, str, str]]:
    """Describe every choice of a folder: name, options with their defaults, summary."""
    return [
        (
            name,
            ",".join(str(o) for o in options(getattr(module(folder, name), function))),
            summary(folder, name),
        )
        for name in names(folder)
    ]
