"""A run folder is read whole or refused by the name of the file, whoever made it."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import json_writer, run_folder, run_record
from cxrtool.files.run_folder import Run
from cxrtool.files.run_record import About

ABOUT = About("conv8", ["a", "b"], 32, 1, [120.0], [40.0])
TENSORS = {"x.weight": torch.arange(6.0).reshape(2, 3), "n": torch.tensor(3)}
STATE = {
    "epoch": 2,
    "history": [{"epoch": 1, "loss": 0.1}, {"epoch": 2, "loss": None}],
    "best": {"epoch": 1},
    "waited": 1,
    "schedule": {"lr": 0.1},
    "key": "k",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run_folder.write(str(tmp_path), ABOUT, TENSORS)
    run_folder.write_last(str(tmp_path), STATE, TENSORS)
    return tmp_path


def given_about(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found


def refused(folder: Path) -> str:
    """Return the one line of a refusal, which names the file."""
    with pytest.raises(CxrtoolError) as caught:
        run_folder.read(str(folder)).tensors()
    assert str(folder) in str(caught.value)
    return str(caught.value)


# --- run.json -------------------------------------------------------------------------------------


def test_what_is_written_is_read(folder: Path) -> None:
    found = run_folder.read(str(folder))
    assert found.name == folder.name
    assert vars(found.about) == vars(ABOUT) | {"weights": found.about.weights}
    tensors = found.tensors()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


def test_the_digest_is_that_of_the_file(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    assert given_about(folder)["weights"] == hashlib.sha256(data).hexdigest()


def test_fields_of_a_later_version_are_passed_over(folder: Path) -> None:
    json_writer.write(str(folder / "run.json"), given_about(folder) | {"colour": "blue"})
    assert run_folder.read(str(folder)).about.arch == "conv8"


def test_fields_that_an_older_version_lacked_have_their_defaults(folder: Path) -> None:
    found = given_about(folder)
    for name in ("temperature", "threshold", "best", "versions", "fit"):
        del found[name]
    json_writer.write(str(folder / "run.json"), found)
    assert run_folder.read(str(folder)).about.temperature == 1


def test_a_newer_format_is_refused(folder: Path) -> None:
    json_writer.write(str(folder / "run.json"), given_about(folder) | {"format": 2})
    assert "made by a newer cxrtool (format 2). This is " in refused(folder)


DEEP = "[" * 200_000 + "]" * 200_000
TEXTS = {
    "empty": "",
    "cut": '{"arch": "conv8", "clas',
    "a list": "[1, 2]",
    "a number": "7",
    "deep": DEEP,
    "deep inside": '{"options": ' + DEEP + "}",
    "many digits": '{"seed": ' + "9" * 5000 + "}",
    "nan": '{"temperature": NaN}',
    "infinity": '{"temperature": -Infinity}',
    "two objects": "{}{}",
    "zero bytes": "\0" * 64,
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_no_json_object_is_refused(folder: Path, name: str) -> None:
    (folder / "run.json").write_text(TEXTS[name])
    assert refused(folder).startswith(f"{folder}/run.json: damaged: ")


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b'{"arch": "\xc3"}', b"\x80\x04\x95"])
def test_other_encodings_are_refused(folder: Path, data: bytes) -> None:
    (folder / "run.json").write_bytes(data)
    assert refused(folder).startswith(f"{folder}/run.json: damaged: not JSON")


def test_a_pickle_in_its_place_does_not_run(folder: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    for name in ("run.json", "model.safetensors", "last.safetensors"):
        before = (folder / name).read_bytes()
        (folder / name).write_bytes(pickle.dumps(Bomb()))
        with pytest.raises(CxrtoolError, match=name):
            run_folder.read(str(folder)).tensors()
            run_folder.read_last(str(folder))
        (folder / name).write_bytes(before)
    assert not (tmp_path / "ran").exists()


CHANGES: dict[str, tuple[Any, str]] = {
    "arch": (7, "its arch is not a text"),
    "classes": ("ab", "its classes is not a list"),
    "size": (32.5, "its size is not a whole number"),
    "channels": (True, "its channels is not a whole number"),
    "mean": ([None], "its mean.0 is not a number"),
    "std": ([10**400], "its std.0 is not a number"),
    "task": ("paint", "its task 'paint' is not one of: classify, segment, findings"),
    "fit": ("bend", "its fit 'bend' is not one of: squash, crop, pad"),
    "preprocessing": (["x"], "its preprocessing is not a text"),
    "seed": ("0", "its seed is not a whole number"),
    "options": ([], "its options is not an object"),
    "best": (None, "its best is not an object"),
    "temperature": ("1", "its temperature is not a number"),
    "threshold": (10**400, "its threshold is not a number"),
    "weights": ("", "it has no digest of model.safetensors"),
    "format": ("1", "its format is not a whole number"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_fields_of_another_kind_are_refused(folder: Path, name: str) -> None:
    value, message = CHANGES[name]
    json_writer.write(str(folder / "run.json"), given_about(folder) | {name: value})
    assert refused(folder) == (
        f"{folder}/run.json: damaged: {message}. Train the run again, or copy it again."
    )


OUT_OF_RANGE: list[dict[str, Any]] = [
    {"size": 0},
    {"size": -1},
    {"size": 5000},
    {"size": 10**30},
    {"channels": 2},
    {"channels": 3},
    {"classes": []},
    {"classes": ["covid"]},
    {"classes": ["a", "a"]},
    {"classes": ["\ud800"]},
    {"classes": [str(i) for i in range(2000)]},
    {"mean": []},
    {"mean": [1, 2]},
    {"mean": [1e300]},
    {"std": [0]},
    {"std": [-1]},
    {"std": [1e-30]},
    {"std": [1e30]},
    {"temperature": 0},
    {"temperature": 1e-200},
    {"temperature": 1e200},
    {"threshold": -0.1},
    {"threshold": 1.1},
    {"preprocessing": "stack:beasf+clahe+raw"},
    {"arch": "conv8" * 9999},
    {"best": {"epoch": -1}},
    {"best": {"epoch": 10**30}},
    {"best": {"val_auc": "1"}},
    {"data": {"train": {"a": -1}}},
    {"data": {"train": [1]}},
    {"versions": {"torch": 2}},
    {"seed": 10**30},
    {"std": [True]},
    {"arch": "conv9"},
    {"arch": ""},
    {"arch": "../conv8"},
    {"arch": "_network"},
]


@pytest.mark.parametrize("change", OUT_OF_RANGE, ids=lambda c: str(c)[:30])
def test_values_out_of_range_are_refused(folder: Path, change: dict[str, Any]) -> None:
    json_writer.write(str(folder / "run.json"), given_about(folder) | change)
    assert refused(folder).startswith(f"{folder}/run.json: damaged: ")


@pytest.mark.parametrize("name", ["arch", "classes", "size", "channels", "mean", "std", "weights"])
def test_what_every_run_needs(folder: Path, name: str) -> None:
    found = given_about(folder)
    del found[name]
    json_writer.write(str(folder / "run.json"), found)
    assert refused(folder).startswith(f"{folder}/run.json: damaged: ")


def test_a_file_of_a_hundred_megabytes_is_not_read(folder: Path) -> None:
    os.truncate(folder / "run.json", 100 << 20)
    assert "damaged: it has 100 MiB, more than 16" in refused(folder)


def test_what_is_no_file(folder: Path) -> None:
    (folder / "run.json").unlink()
    os.mkfifo(folder / "run.json")
    assert "damaged: it is not a regular file" in refused(folder)
    (folder / "run.json").unlink()
    (folder / "run.json").mkdir()
    assert f"{folder}/run.json: is a directory" in refused(folder)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
FIELD = st.sampled_from(list(About.__dataclass_fields__))
LARGE = st.integers(-(10**400), 10**400)


@given(st.dictionaries(FIELD | st.text(), JSON | LARGE, max_size=6), st.booleans())
def test_any_object_is_a_run_or_is_refused(changes: dict[str, Any], whole: bool) -> None:
    base = vars(ABOUT) | {"weights": "0" * 64} if whole else {}
    found = json.loads(json.dumps(base | changes))
    try:
        result = run_record.about("run.json", found)
    except CxrtoolError as e:
        assert "run.json" in str(e)
    else:
        assert isinstance(result, About) and vars(result).items() <= (vars(ABOUT) | found).items()


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(data)
    try:
        assert isinstance(run_record.json_file(str(path)), dict)
    except CxrtoolError as e:
        assert str(path) in str(e)


@given(st.data())
def test_a_flipped_bit_is_never_a_fault(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "flipped"
    if not folder.exists():
        folder.mkdir()
        run_folder.write(str(folder), ABOUT, TENSORS)
        (folder / "run.json").rename(folder / "whole.json")
    text = bytearray((folder / "whole.json").read_bytes())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "run.json").write_bytes(text)
    try:
        assert isinstance(run_folder.read(str(folder)), Run)
    except CxrtoolError as e:
        assert "run.json" in str(e)


# --- the weights ----------------------------------------------------------------------------------


def lying(header: dict[str, Any], data: bytes = b"\0" * 24) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def f32(shape: list[int], start: int, end: int) -> dict[str, Any]:
    return {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "a long header": struct.pack("<Q", 1 << 62) + b"{}",
    "a header of 99 MB": struct.pack("<Q", 99 << 20) + b"{}",
    "too large a shape": lying({"x": f32([1 << 40, 1 << 40], 0, 24)}),
    "another shape": lying({"x": f32([7], 0, 24)}),
    "beyond the end": lying({"x": f32([6], 8, 32)}),
    "backwards": lying({"x": f32([6], 24, 0)}),
    "overlapping": lying({"x": f32([6], 0, 24), "y": f32([6], 0, 24)}),
    "an unknown type": lying({"x": {**f32([6], 0, 24), "dtype": "Q9"}}),
    "a type that torch lacks": lying({"x": {**f32([24], 0, 24), "dtype": "F8_E9"}}),
    "packed": lying({"x": {"dtype": "F6_E2M3", "shape": [32], "data_offsets": [0, 24]}}),
    "no JSON": struct.pack("<Q", 4) + b"{{{{",
    "deep": struct.pack("<Q", 20000) + b"[" * 20000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("file", ["model.safetensors", "last.safetensors"])
def test_hostile_tensors_are_refused(folder: Path, name: str, file: str) -> None:
    data = HOSTILE[name]
    (folder / file).write_bytes(data)
    if file == "model.safetensors":
        digest = hashlib.sha256(data).hexdigest()
        json_writer.write(str(folder / "run.json"), given_about(folder) | {"weights": digest})
    with pytest.raises(CxrtoolError, match=file):
        run_folder.read(str(folder)).tensors()
        run_folder.read_last(str(folder))


def test_every_flipped_byte_of_the_weights_is_found(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    for place in range(0, len(data), 7):
        flipped = bytearray(data)
        flipped[place] ^= 16
        (folder / "model.safetensors").write_bytes(flipped)
        assert "its SHA-256 is wrong" in refused(folder)


def test_missing_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert "model.safetensors cannot be used: no such file or directory" in refused(folder)


# --- the last state -------------------------------------------------------------------------------


def test_the_last_state_is_read(folder: Path) -> None:
    found = run_folder.read_last(str(folder))
    assert found is not None and found[0] == STATE
    assert all(torch.equal(found[1][name], TENSORS[name]) for name in TENSORS)
    assert json.loads((folder / "last.json").read_text()) == STATE


def test_a_run_that_has_not_begun(tmp_path: Path) -> None:
    assert run_folder.read_last(str(tmp_path)) is None


@pytest.mark.parametrize(
    "dtype",
    [torch.bfloat16, torch.float16, torch.int64, torch.bool, torch.uint8, torch.float8_e5m2],
)
def test_every_kind_of_number_is_kept(tmp_path: Path, dtype: torch.dtype) -> None:
    given = {"a": torch.tensor([0.0, 1.0, 2.0]).to(dtype), "empty": torch.zeros(0, dtype=dtype)}
    run_folder.write_last(str(tmp_path), STATE, given)
    found = run_folder.read_last(str(tmp_path))
    assert found is not None and found[1]["a"].dtype == dtype
    assert torch.equal(found[1]["a"].float(), given["a"].float())


def test_every_flipped_byte_of_the_last_state_is_found(folder: Path) -> None:
    data = (folder / "last.safetensors").read_bytes()
    for place in range(0, len(data), 7):
        flipped = bytearray(data)
        flipped[place] ^= 1
        (folder / "last.safetensors").write_bytes(flipped)
        with pytest.raises(CxrtoolError, match=r"last\.safetensors"):
            run_folder.read_last(str(folder))


def forged(folder: Path, text: str) -> None:
    """Write a last state whose digest is right."""
    digest = run_folder._digest(TENSORS, text)
    data = save(TENSORS, {"state": text, "digest": digest})
    (folder / "last.safetensors").write_bytes(data)


FORGED: dict[str, Callable[[], str]] = {
    "no JSON": lambda: "{",
    "a list": lambda: "[]",
    "nothing": lambda: "{}",
    "nan": lambda: '{"epoch": NaN}',
    "deep": lambda: "[" * 200_000,
    "a text for a number": lambda: json.dumps(STATE | {"epoch": "2"}),
    "no rows": lambda: json.dumps(STATE | {"history": [1]}),
    "no schedule": lambda: json.dumps(STATE | {"schedule": None}),
    "a negative epoch": lambda: json.dumps(STATE | {"epoch": -5}),
    "an epoch without history": lambda: json.dumps(STATE | {"epoch": 10**30}),
    "too few epochs": lambda: json.dumps(STATE | {"epoch": 3}),
    "texts in the schedule": lambda: json.dumps(STATE | {"schedule": {"lr": "high"}}),
    "texts in the history": lambda: json.dumps(STATE | {"history": [{"epoch": "1"}]}),
    "another best epoch": lambda: json.dumps(STATE | {"best": {"epoch": 7}}),
    "no best epoch": lambda: json.dumps(STATE | {"best": {}}),
    "a long wait": lambda: json.dumps(STATE | {"waited": 10**9}),
    "a batch of none": lambda: json.dumps(STATE | {"batch": 0}),
    "a rate of texts": lambda: json.dumps(STATE | {"rate": "x"}),
    "other columns": lambda: json.dumps(STATE | {"columns": ["epoch"]}),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_last_state_is_refused(folder: Path, name: str) -> None:
    forged(folder, FORGED[name]())
    with pytest.raises(CxrtoolError, match=r"last\.safetensors: damaged: its "):
        run_folder.read_last(str(folder))


def test_last_json_is_for_people_only(folder: Path) -> None:
    (folder / "last.json").write_text("{")
    assert run_folder.read_last(str(folder)) is not None
