"""`cxrtool cam`: what it draws, what it measures, and how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import odd
import pytest
import torch
from handy import (
    Row,
    ages,
    in_process,
    pixels,
    rows_of,
    shell,
    snapshot,
    start,
    wait_for,
    write_table,
)
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from cxrtool.cli import options
from cxrtool.core import registry
from cxrtool.files import run_folder, run_record
from cxrtool.learn import inference

COLUMNS = [
    "path",
    "label",
    "pred",
    "class",
    "score",
    "method",
    "overlay",
    "in_lung",
    "lung_fraction",
    "enrichment",
    "peak_x",
    "peak_y",
    "flag",
    "in_lesion",
    "lesion_fraction",
    "lesion_enrichment",
    "raw",
]
SMALL = ["--device", "cpu", "-j", "1"]
Said = pytest.CaptureFixture[str]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in a folder of one's own, on one thread."""
    monkeypatch.chdir(tmp_path)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def made(name: str, arch: str = "cnn-x", size: int = 32, channels: int = 1, **about: Any) -> Path:
    """Write a run with fresh weights."""
    Path(name).mkdir()
    torch.manual_seed(1)
    network = inference.built(arch, 2, channels, size)
    given = {"mean": [120.0] * channels, "std": [50.0] * channels, **about}
    found = run_record.About(arch, ["covid", "normal"], size, channels, **given)
    run_folder.write(str(Path(name).absolute()), found, network.state_dict())
    return Path(name)


@pytest.fixture
def cnnx(here: None) -> Path:
    return made("cnnx")


@pytest.fixture
def rows(phantoms: Path) -> list[Row]:
    """Six rows, whose images are 32 x 32."""
    found = rows_of(phantoms / "split.csv")[:6]
    write_table(Path("m.csv"), found)
    return found


def cam(*args: object, output: str = "out.csv", folder: str = "maps") -> int:
    given = [str(a) for a in args]
    return in_process("cam", *given, *SMALL, "-d", folder, "-o", output)


def mapped(*args: object, **given: str) -> list[Row]:
    assert cam(*args, **given) == 0
    return rows_of(Path(given.get("output", "out.csv")))


def said(capfd: Said) -> list[str]:
    return [t.removeprefix("cxrtool cam: ") for t in capfd.readouterr().err.splitlines()]


def heat(folder: Path, path: str, of: int, method: str = "gradcam") -> NDArray[np.float32]:
    """Compute the map of a square image with nothing of the tool but network and method."""
    found = run_folder.read(str(folder))
    network = inference.built(found.about.arch, 2, 1, found.about.size).eval()
    network.load_state_dict(found.tensors())
    grey = torch.from_numpy(pixels(Path(path)).astype(np.float32))[None, None]
    ready = (grey - found.about.mean[0]) / found.about.std[0]
    plugin: Any = registry.module("heatmaps", method)
    small = plugin.heatmap(network, ready, torch.tensor([of]))
    found = functional.interpolate(small[None], grey.shape[2:], mode="bilinear")[0, 0]
    return np.asarray(found.clamp(min=0).numpy())


# --- the table and the pictures -------------------------------------------------------------------


def test_the_columns_and_the_order_of_the_rows(cnnx: Path, rows: list[Row]) -> None:
    write_table(Path("m.csv"), rows[::-1])
    found = mapped(cnnx, "m.csv", "--batch", 4)
    assert list(found[0]) == COLUMNS
    for row, given in zip(found, rows[::-1], strict=True):
        assert (row["path"], row["label"]) == (given["path"], given["label"])
        assert row["class"] == row["pred"]
        assert row["method"] == "gradcam"
        assert pixels(Path(row["overlay"])).shape == (32, 32, 3)
    assert {Path(r["overlay"]) for r in found} == set(Path("maps").iterdir())


def test_what_is_predicted_is_what_evaluate_says(cnnx: Path, rows: list[Row]) -> None:
    found = mapped(cnnx, "m.csv")
    assert in_process("evaluate", "cnnx", "m.csv", *SMALL, "-o", "p.csv", "--cache", "c") == 0
    for row, told in zip(found, rows_of(Path("p.csv")), strict=True):
        assert row["pred"] == told["pred"]
        assert float(row["score"]) == pytest.approx(float(told[f"p_{told['pred']}"]), abs=1e-4)


@pytest.mark.parametrize("method", ["gradcam", "layercam", "cam"])
def test_the_measures(method: str, cnnx: Path, rows: list[Row]) -> None:
    for k, name in enumerate(("covid", "normal")):
        found = mapped(cnnx, "m.csv", "--class", name, "--method", method, folder=name)
        for row, given in zip(found, rows, strict=True):
            assert row["class"] == name
            warm = heat(cnnx, row["path"], k, method)
            mask = pixels(Path(given["mask"])) > 127
            inside = warm[mask].sum() / warm.sum()
            assert float(row["in_lung"]) == pytest.approx(inside, abs=1e-3)
            assert float(row["lung_fraction"]) == pytest.approx(mask.mean(), abs=1e-4)
            assert float(row["enrichment"]) == pytest.approx(inside / mask.mean(), abs=5e-3)
            y, x = divmod(int(warm.argmax()), 32)
            assert (int(row["peak_x"]), int(row["peak_y"])) == (x, y)
            assert ("outside the lungs" in row["flag"]) == (inside < mask.mean())


def test_the_summary(cnnx: Path, rows: list[Row], capfd: Said) -> None:
    found = mapped(cnnx, "m.csv", "--lesion", "none")
    inside, enrichment = (np.mean([float(r[c]) for r in found]) for c in ("in_lung", "enrichment"))
    assert said(capfd) == [
        f"{100 * inside:.0f} % of the heat lies in the lungs, "
        f"{enrichment:.3f} times their share of the image (mean of 6)"
    ]


def test_the_heat_is_drawn_where_it_is(cnnx: Path, rows: list[Row]) -> None:
    (row, *_) = mapped(cnnx, "m.csv", "--class", "covid", "--outline", 0)
    warm = heat(cnnx, row["path"], 0)
    grey = pixels(Path(row["path"])).astype(int)
    tint = np.abs(pixels(Path(row["overlay"])) - grey[..., None]).sum(axis=2)
    assert tint[warm == 0].max(initial=0) <= 1
    shares = warm / warm.max()
    assert np.corrcoef(tint.ravel(), shares.ravel())[0, 1] > 0.5


def test_bare_images(cnnx: Path, rows: list[Row], capfd: Said) -> None:
    paths = [r["path"] for r in rows[:2]]
    found = mapped(cnnx, *paths)
    assert [r["path"] for r in found] == paths
    assert {(r["label"], r["in_lung"], r["lung_fraction"], r["enrichment"]) for r in found} == {
        ("", "", "", "")
    }
    assert said(capfd) == []
    named = mapped(cnnx, "m.csv", output="named.csv", folder="named")
    for one, other in zip(found, named, strict=False):
        same = ("pred", "class", "score", "peak_x", "peak_y")
        assert [one[c] for c in same] == [other[c] for c in same]


def test_the_table_goes_to_standard_output(cxrtool: Run, cnnx: Path, rows: list[Row]) -> None:
    done = cxrtool("cam", "cnnx", rows[0]["path"], *SMALL, "-d", "maps")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == ",".join(COLUMNS)
    assert len(done.stdout.splitlines()) == 2


def test_the_name_of_a_dicom_file_goes_nowhere(cnnx: Path) -> None:
    Path("Zz^Name.dcm").write_bytes(next(iter(odd.DICOMS.values()))())
    (row,) = mapped(cnnx, "Zz^Name.dcm")
    assert "Zz" not in row["overlay"]
    assert b"Zz" not in Path(row["overlay"]).read_bytes()


def test_the_root(cnnx: Path, rows: list[Row], phantoms: Path) -> None:
    write_table(
        Path("short.csv"),
        [r | {c: str(Path(r[c]).relative_to(phantoms)) for c in ("path", "mask")} for r in rows],
    )
    found = mapped(cnnx, "short.csv", "--root", phantoms)
    whole = mapped(cnnx, "m.csv", output="whole.csv", folder="whole")
    for one, other in zip(found, whole, strict=True):
        same = ("pred", "score", "in_lung", "enrichment", "peak_x")
        assert [one[c] for c in same] == [other[c] for c in same]


# --- how images are fitted ------------------------------------------------------------------------


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """A picture of 80 x 40 with something in its middle."""
    values = np.random.default_rng(4).integers(40, 200, (40, 80), np.uint8)
    Image.fromarray(values).save("wide.png")
    return Path("wide.png")


def tinted(row: Row, path: Path) -> NDArray[np.bool_]:
    tint = np.abs(pixels(Path(row["overlay"])).astype(int) - pixels(path)[..., None]).sum(axis=2)
    return np.asarray(tint > 1)


def test_what_the_network_does_not_see_is_left_grey(wide: Path) -> None:
    """Of 40 x 80 pixels a crop has the 35 x 35 in the middle."""
    (row,) = mapped(made("crop", fit="crop"), wide, "--outline", 0)
    coloured = tinted(row, wide)
    assert coloured.any()
    assert not coloured[:2].any() and not coloured[37:].any()
    assert not coloured[:, :22].any() and not coloured[:, 57:].any()
    assert 22 <= int(row["peak_x"]) < 57 and 2 <= int(row["peak_y"]) < 37


@pytest.mark.parametrize("fit", ["squash", "pad"])
def test_the_whole_image_may_be_coloured(fit: str, wide: Path) -> None:
    (row,) = mapped(made(fit, fit=fit), wide, "--outline", 0)
    columns = np.flatnonzero(tinted(row, wide).any(axis=0))
    assert columns[0] < 8 and columns[-1] > 71
    assert 0 <= int(row["peak_y"]) < 40


def test_a_large_image_is_drawn_smaller_and_measured_in_its_own_pixels(cnnx: Path) -> None:
    grey = np.full((1500, 3000), 50, np.uint8)
    grey[1000:1200, 2000:2300] = 220
    Image.fromarray(grey).save("large.png")
    small = np.asarray(Image.fromarray(grey).resize((600, 300), Image.Resampling.BOX))
    Image.fromarray(small).save("small.png")
    large, other = mapped(cnnx, "large.png", "small.png")
    assert pixels(Path(large["overlay"])).shape == (512, 1024, 3)
    assert pixels(Path(other["overlay"])).shape == (300, 600, 3)
    assert int(large["peak_x"]) == pytest.approx(5 * int(other["peak_x"]), abs=12)
    assert int(large["peak_y"]) == pytest.approx(5 * int(other["peak_y"]), abs=12)


def test_stacks_of_three_channels(cnnx: Path, rows: list[Row], capfd: Said) -> None:
    assert in_process("equalize", "m.csv", "--method", "stack", "-d", "eq", "-o", "eq.csv") == 0
    stacks = rows_of(Path("eq.csv"))
    three = made("three", channels=3, preprocessing=stacks[0]["preprocessing"])
    found = mapped(three, "eq.csv")
    network = inference.built("cnn-x", 2, 3, 32).eval()
    network.load_state_dict(run_folder.read("three").tensors())
    for row, stack in zip(found, stacks, strict=True):
        values = pixels(Path(stack["path"])).astype(np.float32).transpose(2, 0, 1)
        with torch.no_grad():
            p = network(torch.from_numpy((values - 120) / 50)[None]).softmax(1)[0]
        assert float(row["score"]) == pytest.approx(float(p.max()), abs=1e-4)
        assert pixels(Path(row["overlay"])).shape == (32, 32, 3)
    capfd.readouterr()
    assert cam(cnnx, "eq.csv", folder="grey") == 2
    reasons = {r["reason"] for r in rows_of(Path("grey/failures.csv"))}
    assert reasons == {"it is a stack of three channels among grey images"}
    assert "warning: the run was trained on images preprocessed by 'nothing'" in said(capfd)[0]


# --- which class, which method --------------------------------------------------------------------


def test_the_true_class(cnnx: Path, rows: list[Row], capfd: Said) -> None:
    rows[1]["label"], rows[3]["label"] = "flu", ""
    write_table(Path("m.csv"), rows)
    assert cam(cnnx, "m.csv", "--class", "label") == 1
    found = rows_of(Path("out.csv"))
    assert [r["class"] for r in found] == [rows[n]["label"] for n in (0, 2, 4, 5)]
    failed = rows_of(Path("maps/failures.csv"))
    assert [(r["path"], r["reason"]) for r in failed] == [
        (rows[1]["path"], "its label 'flu' is no class of the run"),
        (rows[3]["path"], "it has no label"),
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            ["--class", "covdi"],
            "--class 'covdi' is not one of: predicted, label, covid, normal. Did you mean 'covid'?",
        ),
        (["--method", "gradcan"], "--method 'gradcan' is not one of: cam, gradcam, gradcam++,"),
        (["--method", "lime:sample=3"], "option of lime 'sample' is not one of: samples,"),
        (["--grid", "sheet.jpg"], "sheet.jpg: no plot is written as .jpg. End the name in one of:"),
        (["--grid", "-"], "--grid -: standard output is for the table."),
        (["--grid", "none/s.png"], "none/s.png: no such folder. "),
        (["--colormap", "hot"], "--colormap 'hot' is not one of: cividis, inferno,"),
        (["--outline", "1.5"], "invalid value for '--outline'"),
        (["--mask", "lungs"], "--mask 'lungs' is not one of: column, auto, none"),
    ],
)
def test_mistakes(given: list[str], message: str, cnnx: Path, rows: list[Row], capfd: Said) -> None:
    assert cam(cnnx, "m.csv", *given) == 2
    (line,) = said(capfd)
    assert line.startswith(message)
    assert not Path("maps").exists() and not Path("out.csv").exists()


def test_where_zhous_map_is_not_defined_gradcam_is_used(rows: list[Row], capfd: Said) -> None:
    found = mapped(made("base", "cxnet-base", 96), "m.csv", "--method", "cam")
    assert {r["method"] for r in found} == {"gradcam"}
    assert [t for t in said(capfd) if "cam is not defined" in t] == [
        "cam is not defined for cxnet-base, whose map is not all that its last layer sees: "
        "gradcam is used"
    ]


@pytest.mark.parametrize("name", registry.names("heatmaps"))
def test_every_method(name: str, cnnx: Path, rows: list[Row]) -> None:
    options = {"lime": "samples=20", "occlusion": "cells=4", "scorecam": "channels=4"}
    spec = f"{name}:{options.get(name, '')}".rstrip(":")
    found = mapped(cnnx, "m.csv", "--method", spec, "--where", f"path={rows[0]['path']}")
    assert [r["method"] for r in found] == [spec]
    assert float(found[0]["enrichment"]) > 0


def test_a_map_of_one_cell_is_flagged(small_run: Path, rows: list[Row], capfd: Said) -> None:
    """Conv8 leaves one pixel of so small an image."""
    found = mapped(small_run, "m.csv", "--grid", "s.png", "--lesion", "none")
    for row in found:
        assert row["flag"] == "empty map"
        assert (row["in_lung"], row["enrichment"], row["peak_x"], row["peak_y"]) == ("",) * 4
        assert row["lung_fraction"]
        grey = pixels(Path(row["path"]))
        np.testing.assert_array_equal(pixels(Path(row["overlay"])), np.stack([grey] * 3, axis=2))
    assert said(capfd) == [
        "6 of 6 maps are empty (flag 'empty map'): every place has the same heat. "
        "Try --method occlusion, or a run of a larger --size."
    ]


# --- the lungs ------------------------------------------------------------------------------------


def test_lungs_that_are_not_asked_for(cnnx: Path, rows: list[Row]) -> None:
    for row in mapped(cnnx, "m.csv", "--mask", "none"):
        assert row["in_lung"] == row["lung_fraction"] == row["enrichment"] == ""


def test_lungs_that_are_found(cnnx: Path, phantoms: Path) -> None:
    """Where the row has no mask."""
    made = ["phantom", "2", "--size", "128", "-d", "ph", "-o", "ph.csv", "-q"]
    assert in_process(*made) == 0
    rows = rows_of(Path("ph.csv"))
    write_table(Path("m.csv"), [rows[0], {**rows[1], "mask": ""}])
    first, second = mapped(cnnx, "m.csv", "--mask", "auto")
    drawn = [(pixels(Path(r["mask"])) > 127).mean() for r in rows]
    assert float(first["lung_fraction"]) == pytest.approx(drawn[0], abs=1e-4)
    assert float(second["lung_fraction"]) == pytest.approx(drawn[1], rel=0.4)
    assert float(second["lung_fraction"]) != pytest.approx(drawn[1], abs=1e-4)
    assert 0 < float(second["in_lung"]) < 1


def test_a_mask_that_cannot_be_read(cnnx: Path, rows: list[Row], capfd: Said) -> None:
    rows[0]["mask"] = "absent.png"
    write_table(Path("m.csv"), rows[:2])
    first, second = mapped(cnnx, "m.csv")
    assert first["in_lung"] == "" and second["in_lung"] != ""
    assert said(capfd)[0] == (
        f"{rows[0]['path']}: warning: its mask absent.png cannot be read: no such file or directory"
    )


@pytest.mark.slow
def test_a_mask_that_is_a_bomb_costs_itself_alone(cnnx: Path, rows: list[Row], capfd: Said) -> None:
    Path("bomb.png").write_bytes(odd.png_bomb())
    write_table(Path("m.csv"), [{**rows[0], "mask": "bomb.png"}])
    (row,) = mapped(cnnx, "m.csv")
    assert row["in_lung"] == ""
    assert said(capfd)[0].endswith("its mask bomb.png cannot be read: it needs too much memory")


def test_a_mask_without_lungs(cnnx: Path, rows: list[Row]) -> None:
    Image.new("L", (32, 32)).save("black.png")
    write_table(Path("m.csv"), [{**rows[0], "mask": "black.png"}])
    (row,) = mapped(cnnx, "m.csv")
    assert (row["in_lung"], row["lung_fraction"], row["enrichment"]) == ("0.0000", "0.0000", "")
    assert "no lungs" in row["flag"]


# --- again, and broken ----------------------------------------------------------------------------


def test_again_nothing_is_done_twice(cnnx: Path, rows: list[Row]) -> None:
    first = mapped(cnnx, "m.csv")
    made, table = ages(Path("maps")), Path("out.csv").read_bytes()
    assert mapped(cnnx, "m.csv") == first
    assert ages(Path("maps")) == made and Path("out.csv").read_bytes() == table
    assert mapped(cnnx, "m.csv", "--force") == first
    assert not set(ages(Path("maps")).values()) & set(made.values())


@pytest.mark.parametrize(
    "more",
    [
        ["--class", "covid"],
        ["--method", "layercam"],
        ["--outline", "0.5"],
        ["--mask", "none"],
        ["--lesion", "none"],
        ["--colormap", "cividis"],
        ["--method", "cam", "--signs", "both"],
    ],
    ids=str,
)
def test_other_options_make_other_pictures(more: list[str], cnnx: Path, rows: list[Row]) -> None:
    mapped(cnnx, "m.csv")
    made = ages(Path("maps"))
    mapped(cnnx, "m.csv", *more)
    assert not set(ages(Path("maps")).values()) & set(made.values())


def test_what_is_missing_or_damaged_is_made_as_it_was(cnnx: Path, rows: list[Row]) -> None:
    found = mapped(cnnx, "m.csv", "--batch", 3)
    before, table = snapshot(Path("maps")), Path("out.csv").read_bytes()
    Path(found[0]["overlay"]).unlink()
    data = before[Path(found[4]["overlay"]).name]
    Path(found[4]["overlay"]).write_bytes(data[:-20])
    made = ages(Path("maps"))
    mapped(cnnx, "m.csv", "--batch", 3)
    assert snapshot(Path("maps")) == before and Path("out.csv").read_bytes() == table
    changed = {n for n, t in ages(Path("maps")).items() if made.get(n) != t}
    assert changed == {Path(found[n]["overlay"]).name for n in (0, 4)}


@pytest.mark.slow
def test_ended_midway_it_goes_on_from_there(
    cxrtool: Run, cnnx: Path, rows: list[Row], tmp_path: Path
) -> None:
    """Pictures stand under their names only when they are whole."""
    given = ["cam", "cnnx", "m.csv", "--method", "lime:samples=600", "-o", "out.csv", *SMALL]
    process = start(tmp_path, *given, "-d", "maps")
    wait_for(lambda: Path("maps").exists() and len(ages(Path("maps"))) >= 2)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=900)
    assert process.returncode == 143
    assert told == b"cxrtool cam: terminated. Run it again to finish\n"
    there = ages(Path("maps"))
    assert {p.name for p in Path("maps").iterdir()} == set(there) and len(there) < 6
    assert cxrtool(*given, "-d", "maps").returncode == 0
    assert ages(Path("maps")).items() >= there.items() and len(ages(Path("maps"))) == 6
    found = Path("out.csv").read_bytes()
    assert cxrtool(*given, "-d", "whole").returncode == 0
    assert snapshot(Path("whole")) == snapshot(Path("maps"))
    assert Path("out.csv").read_bytes().replace(b"whole/", b"maps/") == found


def test_one_bad_image_changes_nothing_for_the_others(
    cnnx: Path, rows: list[Row], capfd: Said
) -> None:
    whole = mapped(cnnx, "m.csv", folder="whole")
    pictures = snapshot(Path("whole"))
    Path("bad.png").write_bytes(b"no picture")
    write_table(Path("m.csv"), [{**rows[0], "path": "bad.png"}, *rows[1:]])
    assert cam(cnnx, "m.csv") == 1
    cells = [c for c in COLUMNS if c != "overlay"]
    found = rows_of(Path("out.csv"))
    assert [[r[c] for c in cells] for r in found] == [[r[c] for c in cells] for r in whole[1:]]
    assert (
        snapshot(Path("maps")).items() - {("failures.csv", Path("maps/failures.csv").read_bytes())}
        <= pictures.items()
    )
    (failed,) = rows_of(Path("maps/failures.csv"))
    assert (failed["path"], failed["reason"]) == ("bad.png", "not an image in a known format")
    assert cam(cnnx, "m.csv", "--strict", folder="strict") == 2


def test_a_dry_run_touches_nothing(cnnx: Path, rows: list[Row], capfd: Said) -> None:
    assert cam(cnnx, "m.csv", "-n", "--grid", "s.png") == 0
    assert said(capfd) == ["would make 6 pictures in maps: gradcam"]
    assert not Path("maps").exists() and not Path("out.csv").exists()


def test_the_run_must_tell_classes_apart(cnnx: Path, rows: list[Row], capfd: Said) -> None:
    assert cam("nowhere", "m.csv") == 2
    shutil.copytree(cnnx, "cut")
    Path("cut/model.safetensors").write_bytes(Path("cut/model.safetensors").read_bytes()[:-9])
    assert cam("cut", "m.csv") == 2
    missing, damaged = said(capfd)
    assert missing == "nowhere: no such run folder. Create one with cxrtool train."
    assert damaged.startswith("the weights cut/model.safetensors cannot be used: it is damaged")
    assert not Path("maps").exists()


def test_a_folder_is_not_an_image(cnnx: Path, phantoms: Path, capfd: Said) -> None:
    assert cam(cnnx, phantoms / "in") == 2
    assert said(capfd)[0].startswith(f"{phantoms / 'in'}: is a folder, not an image.")


@pytest.mark.slow
def test_the_odd_folder(hostile: Path, cnnx: Path) -> None:
    """Every row is in the table or in the list; one line a cause; nothing of a patient."""
    files = sorted(p for p in (hostile / "in").rglob("*") if not p.is_dir())
    paths = [os.path.relpath(p, hostile) for p in files]
    write_table(hostile / "c-all.csv", [{"path": p} for p in paths])
    process = start(hostile, "cam", cnnx.absolute(), "c-all.csv", "-d", "cams", "-o", "cams.csv")
    out, error = process.communicate(timeout=900)
    assert (process.returncode, out) == (1, b"")
    used = rows_of(hostile / "cams.csv")
    failed = [r["path"] for r in rows_of(hostile / "cams" / "failures.csv")]
    assert [r["path"] for r in used] == [p for p in paths if p not in failed]
    lines = error.decode().splitlines()
    assert all(line.startswith("cxrtool cam: ") for line in lines)
    names = {os.path.basename(r["overlay"]) for r in used}
    assert set(os.listdir(hostile / "cams")) == {*names, "failures.csv"}
    assert len({n.lower() for n in names}) == len(used) > 20
    written = [error, *snapshot(hostile / "cams").values(), *map(os.fsencode, names)]
    everything = b"\n".join(written).lower()
    assert not [s for s in odd.SECRETS.values() if s.lower().encode() in everything]


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 2), (40, 1500)], ids=str)
@pytest.mark.parametrize("fit", ["squash", "crop", "pad"])
def test_images_of_any_shape(fit: str, shape: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    Image.fromarray(grey).save("i.png")
    (row,) = mapped(made("run", fit=fit), "i.png")
    scale = min(1, 1024 / max(shape))
    expected = tuple(max(1, round(side * scale)) for side in shape)
    assert pixels(Path(row["overlay"])).shape == (*expected, 3)
    if row["peak_x"]:
        assert 0 <= int(row["peak_x"]) < shape[1] and 0 <= int(row["peak_y"]) < shape[0]


def test_a_closed_pipe(cnnx: Path, rows: list[Row], tmp_path: Path) -> None:
    process = start(tmp_path, "cam", "cnnx", "m.csv", *SMALL, "-d", "maps")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.wait(60), process.stderr.read()) == (141, b"")
    process.stderr.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk(cnnx: Path, rows: list[Row], tmp_path: Path) -> None:
    done = shell(tmp_path, "cxrtool cam cnnx m.csv --device cpu -j 1 -d maps >/dev/full")
    line = "standard output: no space left on device. Free some space, then run it again."
    assert (done.returncode, done.stderr) == (3, f"cxrtool cam: {line}\n")


# --- the sheet ------------------------------------------------------------------------------------


def test_the_sheet_has_the_first_pictures(
    cnnx: Path, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cxrtool.figures import sheet

    hung: list[Any] = []
    monkeypatch.setattr(
        sheet, "write", lambda path, prints, title, *_: hung.append((prints, title))
    )
    found = mapped(cnnx, "m.csv", "--grid", "s.png", "--grid-most", 4)
    ((prints, title),) = hung
    assert title == "cnnx: gradcam of the predicted class; cyan: the lesion"
    assert [Path(p.file).name for p in prints] == [Path(r["overlay"]).name for r in found[:4]]
    for one, row in zip(prints, found, strict=False):
        told = (one.label, one.pred, one.of, one.score, one.flag)
        assert told == tuple(row[c] for c in ("label", "pred", "class", "score", "flag"))


def test_a_sheet_is_not_the_table(cnnx: Path, rows: list[Row], capfd: Said) -> None:
    assert cam(cnnx, "m.csv", "--grid", "./o.png", output="o.png") == 2
    assert said(capfd) == ["--grid ./o.png is --output too. Name two files."]
    assert not Path("o.png").exists()


@pytest.mark.parametrize("option", ["--output", "--failures"])
def test_what_is_read_is_not_overwritten(
    option: str, cnnx: Path, rows: list[Row], capfd: Said
) -> None:
    before = Path("m.csv").read_bytes()
    assert in_process("cam", str(cnnx), "m.csv", "-d", "maps", option, "./m.csv") == 2
    assert said(capfd) == [
        f"{option} ./m.csv would overwrite m.csv, which is read (MANIFEST|IMAGE). "
        f"Name another place with {option}."
    ]
    assert Path("m.csv").read_bytes() == before and not Path("maps").exists()


def test_a_bare_image_whose_name_is_not_utf8(cnnx: Path, rows: list[Row], capfd: Said) -> None:
    name = os.fsdecode(b"\xff.png")
    shutil.copy(rows[0]["path"], name)
    assert cam(cnnx, name, rows[0]["path"]) == 1
    assert [r["path"] for r in rows_of(Path("out.csv"))] == [rows[0]["path"]]
    (listed,) = rows_of(Path("maps/failures.csv"))
    assert (listed["path"], listed["reason"]) == ("\\udcff.png", "its name is not UTF-8")
    assert said(capfd)[0] == "\\udcff.png: its name is not UTF-8. Rename the file."


def test_a_batch_of_any_size_is_no_fault(cnnx: Path, rows: list[Row]) -> None:
    assert mapped(cnnx, "m.csv", "--batch", options.MOST) == mapped(cnnx, "m.csv", "--batch", 64)


def test_a_sheet_of_nothing_is_none(cnnx: Path, capfd: Said) -> None:
    assert cam(cnnx, "absent.png", "--grid", "s.png") == 2
    assert not Path("out.csv").exists() and not Path("s.png").exists()


def test_a_sheet_in_the_folder_of_the_pictures(cnnx: Path, rows: list[Row]) -> None:
    mapped(cnnx, "m.csv", "--grid", "maps/sheet.png", output="maps/m.csv")
    first = Path("maps/sheet.png").read_bytes()
    with Image.open("maps/sheet.png") as picture:
        assert picture.format == "PNG" and picture.width > 500
    mapped(cnnx, "m.csv", "--grid", "maps/sheet.png", output="maps/m.csv")
    assert Path("maps/sheet.png").read_bytes() == first
