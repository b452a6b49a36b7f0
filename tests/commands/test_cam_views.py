"""`cxrtool cam`: signs, lesions, branches, two levels, and pictures beside earlier ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from handy import Row, in_process, pixels, rows_of, write_table
from PIL import Image
from test_cam import here

from cxrtool.figures import sheet
from cxrtool.files import run_folder, run_record
from cxrtool.learn import inference

__all__ = ["here"]
SMALL = ["--device", "cpu", "-j", "1"]
LINES = ["--outline", "0"]
Said = pytest.CaptureFixture[str]


def made(name: str, *classes: str, size: int = 32, seed: int = 1) -> str:
    """Write a run of CNN-X with fresh weights."""
    Path(name).mkdir()
    torch.manual_seed(seed)
    network = inference.built("cnn-x", len(classes), 1, size)
    about = run_record.About("cnn-x", list(classes), size, 1, mean=[120.0], std=[50.0])
    run_folder.write(str(Path(name).absolute()), about, network.state_dict())
    return name


@pytest.fixture
def run(here: None) -> str:
    return made("run", "covid", "normal")


@pytest.fixture
def rows(phantoms: Path) -> list[Row]:
    """Six rows, whose images are 32 x 32."""
    found = rows_of(phantoms / "split.csv")[:6]
    write_table(Path("m.csv"), found)
    return found


def mapped(*given: object, name: str = "maps") -> list[Row]:
    arguments = [str(a) for a in given]
    assert in_process("cam", *arguments, *SMALL, "-d", name, "-o", f"{name}.csv") == 0
    return rows_of(Path(f"{name}.csv"))


def said(capfd: Said) -> list[str]:
    return [t.removeprefix("cxrtool cam: ") for t in capfd.readouterr().err.splitlines()]


def tint(row: Row) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return how much of red, less of blue, a picture has."""
    picture = pixels(Path(row["overlay"])).astype(int)
    return picture[..., 0] - picture[..., 2]


def test_both_signs_are_drawn_and_the_measures_stay(run: str, rows: list[Row]) -> None:
    method = ["--method", "cam", "--class", "covid", *LINES]
    plain = mapped(run, "m.csv", *method)
    both = mapped(run, "m.csv", *method, "--signs", "both", name="both")
    other = mapped(run, "m.csv", *method[:3], "normal", *LINES, "--signs", "both", name="other")
    for one, two, three in zip(plain, both, other, strict=True):
        assert {k: v for k, v in one.items() if k != "overlay"} == {
            k: v for k, v in two.items() if k != "overlay"
        }
        assert tint(two).min() < -20 < 20 < tint(two).max()
        # Of two classes, what speaks for one speaks against the other, but for what both share.
        assert np.corrcoef(tint(two).ravel(), tint(three).ravel())[0, 1] < 0.9


def test_heat_against_the_class_alone_is_drawn_too(run: str, rows: list[Row]) -> None:
    """Where nothing speaks for the class, the picture was grey."""
    network = inference.built("cnn-x", 2, 1, 32)
    network.load_state_dict(run_folder.read(run).tensors())
    with torch.no_grad():
        network.final().weight.copy_(-network.final().weight.abs())  # type: ignore[union-attr, operator, arg-type]
    about = run_folder.read(run).about
    Path("against").mkdir()
    run_folder.write(str(Path("against").absolute()), about, network.state_dict())
    given = ["against", rows[0]["path"], "--method", "cam", *LINES]
    (plain,) = mapped(*given)
    (both,) = mapped(*given, "--signs", "both", name="both")
    assert plain["flag"] == both["flag"] == "nothing for the class"
    assert np.abs(tint(plain)).max() == 0
    assert tint(both).min() < -20


def test_the_heat_in_a_lesion(run: str, rows: list[Row], capfd: Said) -> None:
    found = mapped(run, "m.csv", *LINES)
    without = mapped(run, "m.csv", *LINES, "--lesion", "none", name="without")
    ill = []
    for row, plain, given in zip(found, without, rows, strict=True):
        lesion = pixels(Path(given["lesion"])) > 127
        assert float(row["lesion_fraction"]) == pytest.approx(lesion.mean(), abs=1e-4)
        assert plain["in_lesion"] == plain["lesion_fraction"] == plain["lesion_enrichment"] == ""
        drawn, bare = (pixels(Path(r["overlay"])).astype(int) for r in (row, plain))
        changed = (drawn != bare).any(axis=2)
        assert changed.any() == lesion.any()
        if not lesion.any():
            assert (row["in_lesion"], row["lesion_enrichment"]) == ("0.0000", "")
            continue
        ill.append(row)
        ratio = float(row["in_lesion"]) / lesion.mean()
        assert float(row["lesion_enrichment"]) == pytest.approx(ratio, rel=0.02, abs=0.01)
        # The line is on the lesion's own edge, in cyan.
        red, _, blue = drawn[changed].mean(axis=0)
        assert red < blue
    assert 0 < len(ill) < len(rows)
    mean = 100 * np.mean([float(r["in_lesion"]) for r in ill])
    lines = [line for line in said(capfd) if "lesions" in line]
    assert lines[0].startswith(f"{mean:.0f} % of the heat lies in the lesions")


def test_a_lesion_that_is_all_of_the_heat(run: str, rows: list[Row]) -> None:
    Image.new("L", (32, 32), 255).save("all.png")
    write_table(Path("m.csv"), [{**rows[0], "lesion": "all.png"}])
    (row,) = mapped(run, "m.csv")
    assert (row["in_lesion"], row["lesion_fraction"]) == ("1.0000", "1.0000")
    assert row["lesion_enrichment"] == "1.0000"


@pytest.fixture
def levels(run: str) -> tuple[str, str]:
    """Two runs of images of different sizes; the second subdivides the class `normal`."""
    return run, made("below", "old", "young", "other", size=48, seed=7)


def test_a_hierarchy_predicts_what_evaluate_predicts(
    levels: tuple[str, str], rows: list[Row]
) -> None:
    first, second = levels
    given = [first, "m.csv", "--hierarchy", second]
    assert in_process("evaluate", *given, *SMALL, "--cache", "c", "-o", "p.csv") == 0
    told = rows_of(Path("p.csv"))
    for row, one in zip(mapped(*given), told, strict=True):
        assert row["pred"] == row["class"] == one["pred"]
        assert float(row["score"]) == pytest.approx(float(one[f"p_{one['pred']}"]), abs=1e-4)
    for name in ("covid", "young"):
        for row, one in zip(mapped(*given, "--class", name, name=name), told, strict=True):
            assert (row["class"], row["pred"]) == (name, one["pred"])
            assert float(row["score"]) == pytest.approx(float(one[f"p_{name}"]), abs=1e-4)


def test_each_level_explains_its_own_classes(levels: tuple[str, str], rows: list[Row]) -> None:
    """The map of a class is that of the run that decides on it, alone."""
    first, second = levels
    for name, alone in (("covid", first), ("normal", first), ("young", second)):
        both = mapped(first, "m.csv", "--hierarchy", second, "--class", name, name=f"both-{name}")
        own = mapped(alone, "m.csv", "--class", name, name=f"own-{name}")
        for one, other in zip(both, own, strict=True):
            same = ("class", "method", "in_lung", "peak_x", "peak_y", "in_lesion")
            assert [one[c] for c in same] == [other[c] for c in same]
            np.testing.assert_array_equal(
                pixels(Path(one["overlay"])), pixels(Path(other["overlay"]))
            )


def test_a_hierarchy_that_is_none(levels: tuple[str, str], rows: list[Row], capfd: Said) -> None:
    first, second = levels
    assert in_process("cam", second, "m.csv", "--hierarchy", first, "-d", "maps", *SMALL) == 2
    given = ["cam", first, "m.csv", "--hierarchy", second, "--class", "flu", "-d", "maps", *SMALL]
    assert in_process(*given) == 2
    three, unknown = said(capfd)
    assert three.startswith("the first level of the hierarchy has 3 classes")
    words = "predicted, label, covid, old, young, other, normal"
    assert unknown.startswith(f"--class 'flu' is not one of: {words}")
    assert not Path("maps").exists()


def test_pictures_beside_earlier_ones(
    run: str, rows: list[Row], capfd: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after a change of the images, which is known by their original file."""
    hung: list[Any] = []
    monkeypatch.setattr(sheet, "write", lambda path, *given: hung.append(given))
    before = mapped(run, "m.csv", name="before")
    assert in_process("equalize", "m.csv", "--method", "clahe", "-d", "eq", "-o", "eq.csv") == 0
    write_table(Path("some.csv"), rows_of(Path("eq.csv"))[1:])
    capfd.readouterr()
    given = [run, "some.csv", "--beside", "before.csv", "--grid", "s.png", "--grid-most", "3"]
    after = mapped(*given, name="after")
    ((prints, _, _, headings),) = hung
    assert headings == ["before", "after"]
    shown = [Path(p.file).name for p in prints]
    pairs = zip(before[1:4], after[:3], strict=True)
    assert shown == [Path(r["overlay"]).name for pair in pairs for r in pair]
    differing = sum(a["pred"] != b["pred"] for a, b in zip(before[1:], after, strict=True))
    inside = [np.mean([float(r["in_lung"]) for r in some]) for some in (before[1:], after)]
    assert said(capfd)[-1] == (
        f"before.csv: the prediction differs for {differing} of 5 images; there "
        f"{100 * inside[0]:.0f} % of the heat lies in the lungs, here {100 * inside[1]:.0f} %"
    )


def test_several_columns_and_an_image_that_is_in_one(run: str, rows: list[Row]) -> None:
    mapped(run, rows[0]["path"], name="one")
    mapped(run, "m.csv", "--method", "layercam", name="two")
    mapped(run, "m.csv", "--beside", "one.csv", "--beside", "two.csv", "--grid", "s.png")
    with Image.open("s.png") as picture:
        assert picture.height > 2 * picture.width, "six rows of three columns"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("none.csv", "none.csv: no such file or directory. "),
        ("m.csv", "m.csv: no column 'pred'"),
        ("empty.csv", "empty.csv: no rows. Name a table that cam has written."),
    ],
)
def test_what_is_no_table_of_maps(
    table: str, message: str, run: str, rows: list[Row], capfd: Said
) -> None:
    heading = "path,label,pred,class,score,method,overlay,in_lung,flag"
    Path("empty.csv").write_text(heading + "\n")
    given = [run, "m.csv", "--beside", table, "--grid", "s.png", "-d", "maps", *SMALL]
    assert in_process("cam", *given) == 2
    assert said(capfd)[0].startswith(message)
    assert not Path("maps").exists()
