"""SPECs: names, keys, types, ranges, defaults and near misses."""

import subprocess
import sys
import types
from typing import Annotated, Literal

import pytest

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.registry import Between, File


def enhance(
    image: object,
    *,
    clip: Annotated[float, Between(0, 100)] = 2.0,
    tiles: Annotated[int, Between(1, 64)] = 8,
    variant: Literal["code", "fixed"] = "code",
    stretch: bool = False,
    window: float | None = None,
) -> None:
    """Enhance."""


@pytest.fixture
def plugin(monkeypatch):
    module = types.ModuleType("cxrtool.preprocess.equalizers.clahe", "Enhance.\n\nMore.")
    module.equalize = enhance
    monkeypatch.setattr(registry, "names", lambda folder: ["beasf", "clahe", "hist"])
    monkeypatch.setattr(registry, "module", lambda folder, name: module)
    return module


def given(spec):
    return registry.load("equalizers", spec, "equalize")[2]


def test_a_name_alone_has_no_options(plugin):
    assert registry.load("equalizers", "clahe", "equalize") == ("clahe", plugin, {})


def test_values_get_the_types_of_their_options(plugin):
    spec = "clahe:clip=3,tiles=4,variant=fixed,stretch=yes,window=2.5"
    assert given(spec) == {
        "clip": 3.0,
        "tiles": 4,
        "variant": "fixed",
        "stretch": True,
        "window": 2.5,
    }
    assert isinstance(given(spec)["clip"], float)


def test_none_is_a_value_where_it_is_allowed(plugin):
    assert given("clahe:window=none") == {"window": None}


def test_a_bare_value_goes_to_the_first_option(plugin):
    assert given("clahe:3,tiles=4") == {"clip": 3.0, "tiles": 4}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("acc", "accuracy"),
        ("SENS", "sensitivity"),
        ("calibration", "calibration_slope"),
        ("mmc", "mcc"),
        ("accurcy", "accuracy"),
        ("a", ""),
    ],
)
def test_a_beginning_is_meant_rather_than_what_looks_alike(given, meant):
    names = ["accuracy", "sensitivity", "auc", "mcc", "calibration_slope", "calibration_intercept"]
    assert registry.nearest(given, names) == meant


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("clah", "equalizer 'clah' is not one of: beasf, clahe, hist. Did you mean 'clahe'?"),
        ("xyz", "equalizer 'xyz' is not one of: beasf, clahe, hist. Choose one of them."),
        (
            "clahe:clp=2",
            "option of clahe 'clp' is not one of: clip, tiles, variant, stretch, window. "
            "Did you mean 'clip'?",
        ),
        ("clahe:clip=two", "clip=two is not a number from 0 to 100. Its default is 2.0."),
        ("clahe:clip=nan", "clip=nan is not a number from 0 to 100. Its default is 2.0."),
        ("clahe:clip=101", "clip=101 is not a number from 0 to 100. Its default is 2.0."),
        ("clahe:tiles=1.5", "tiles=1.5 is not a whole number from 1 to 64. Its default is 8."),
        ("clahe:variant=x", "variant=x is not one of: code, fixed. Its default is code."),
        ("clahe:stretch=maybe", "stretch=maybe is not yes or no. Its default is no."),
    ],
)
def test_mistakes_name_what_is_right(plugin, spec, message):
    with pytest.raises(CxrtoolError) as caught:
        given(spec)
    assert str(caught.value) == message


def test_a_choice_without_options_says_so():
    with pytest.raises(CxrtoolError, match="'folder' takes no options, not 'x=1'"):
        registry.load("collections", "folder:x=1", "rows")


def test_the_names_are_those_of_the_files():
    names = registry.names("collections")
    assert {"cohen", "nih", "folder"} <= set(names)
    assert not [n for n in names if n.startswith("-")]


def test_the_listing_has_a_summary_for_every_choice():
    listed = registry.listing("collections", "rows")
    assert [name for name, _, _ in listed] == registry.names("collections")
    assert all(summary and not summary.endswith(".") for _, _, summary in listed)
    assert {name: keys for name, keys, _ in listed}["chexpert"] == "uncertain=skip"


def pick(image: object, *, reference: File, tiles: int | None = None, deep: bool = False) -> None:
    """Take a file that must be named."""


@pytest.fixture
def picker(plugin):
    plugin.equalize = pick
    return plugin


def test_a_file_is_told_from_other_texts(picker):
    value = given("hist:reference=a b/c=d.png")["reference"]
    assert isinstance(value, File) and value == "a b/c=d.png"


def test_a_bare_file_goes_to_the_first_option(picker):
    assert given("hist:a.png,tiles=4") == {"reference": "a.png", "tiles": 4}


@pytest.mark.parametrize("spec", ["hist", "hist:tiles=3"])
def test_an_option_without_a_default_must_be_given(picker, spec):
    with pytest.raises(CxrtoolError) as caught:
        given(spec)
    assert str(caught.value) == "'hist' needs reference. Write it as hist:reference=FILE."


@pytest.mark.parametrize("text", ["", "none"])
def test_both_ways_to_write_none(picker, text):
    assert given(f"hist:reference=a,tiles={text}")["tiles"] is None


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("hist:reference=a", "hist:reference=a,tiles=,deep=no"),
        ("hist:reference=a,tiles=none", "hist:reference=a,tiles=,deep=no"),
        ("hist:deep=1,tiles=07,reference=a", "hist:reference=a,tiles=7,deep=yes"),
    ],
)
def test_equal_choices_are_equal_texts(picker, spec, text):
    assert registry.canonical("hist", pick, given(spec)) == text


@pytest.mark.parametrize("spec", ["ahe", "ahe:tiles=none", "ahe:disk=40,tiles=", "ahe:40"])
def test_what_is_written_is_read_as_the_same(spec):
    name, module, options = registry.load("equalizers", spec, "equalize")
    written = registry.canonical(name, module.equalize, options)
    assert written == "ahe:disk=40,tiles="
    again = registry.load("equalizers", written, "equalize")[2]
    assert registry.canonical(name, module.equalize, again) == written


def test_a_choice_without_options_is_its_name():
    name, module, options = registry.load("equalizers", "hist", "equalize")
    assert registry.canonical(name, module.equalize, options) == "hist"


def test_a_docstring_is_read_without_importing_its_module() -> None:
    for name in registry.names("commands"):
        assert registry.docstring("commands", name) == registry.module("commands", name).__doc__
    code = (
        "import sys; from cxrtool.core import registry\n"
        "for name in registry.names('commands'): registry.docstring('commands', name)\n"
        "print([m for m in sys.modules if m.startswith('cxrtool.commands.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
