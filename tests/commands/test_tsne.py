"""`cxrtool tsne`: every row gets its place, and the numbers beside the picture are true."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import handy
import numpy as np
import odd
import pytest
import torch
from handy import Row, in_process, rows_of, shell, write_table
from PIL import Image
from test_every_command import BAD
from torch import Tensor

from cxrtool.commands import tsne as command
from cxrtool.explain import features
from cxrtool.figures import plot
from cxrtool.files import pixel_cache, run_folder
from cxrtool.files.failures import Failures
from cxrtool.learn import inference, prediction
from cxrtool.stats import fft_tsne, linear_probe, projection

SMALL = ["--device", "cpu", "-j", "1"]
FAST = ["--max-iter", "500", "--permutations", "20"]
Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in a folder of one's own, on one thread."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def split(phantoms: Path) -> list[Row]:
    return rows_of(phantoms / "split.csv")


def tsne(*args: object, output: str = "points.csv") -> int:
    return in_process("tsne", *SMALL, *FAST, *map(str, args), "-o", output)


def placed(*args: object) -> list[Row]:
    assert tsne(*args) == 0
    return rows_of(Path("points.csv"))


def points(rows: list[Row]) -> np.ndarray:
    return np.array([[float(r["x"]), float(r["y"])] for r in rows])


def said(capfd: Said) -> list[str]:
    return [t.removeprefix("cxrtool tsne: ") for t in capfd.readouterr().err.splitlines()]


def vectors(folder: Path, rows: list[Row], layer: str = "embedding") -> np.ndarray:
    tap = features.Tap(inference.Model(run_folder.read(str(folder)), torch.device("cpu")), layer)
    found: np.ndarray = features.of_rows(
        rows, tap, prediction.PredictionSettings(cache="c"), Failures(None)
    )[1]
    return found


def changed(folder: Path, name: str, change: Callable[[dict[str, Tensor]], None]) -> str:
    """Copy a run with other weights."""
    found = run_folder.read(str(folder))
    tensors = found.tensors()
    change(tensors)
    os.makedirs(name)
    run_folder.write(name, found.about, tensors)
    return name


# --- the table ------------------------------------------------------------------------------------


def test_every_row_gets_its_place(small_run: Path, split: list[Row]) -> None:
    write_table(Path("m.csv"), split[::-1])
    rows = placed(small_run, "m.csv")
    assert list(rows[0]) == [*split[0], "x", "y"]
    assert [{k: v for k, v in r.items() if k not in "xy"} for r in rows] == split[::-1]
    expected = projection.placed(
        vectors(small_run, split[::-1]), projection.ProjectionSettings(max_iter=500)
    )
    np.testing.assert_allclose(points(rows), expected.points, atol=1e-9)


def test_the_same_bytes_again_with_and_without_a_cache(small_run: Path, phantoms: Path) -> None:
    files = {"--stats": "s.json", "--plot": "p.svg"}
    given = [v for pair in files.items() for v in pair]
    made = []
    for _ in range(2):
        assert tsne(small_run, phantoms / "split.csv", *given) == 0
        made.append([Path(f).read_bytes() for f in ("points.csv", *files.values())])
    assert made[0] == made[1]


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_any_seed(seed: int, small_run: Path, phantoms: Path) -> None:
    placed(small_run, phantoms / "split.csv", "--seed", seed, "--stats", "s.json")
    assert json.loads(Path("s.json").read_text())["seed"] == seed


def test_the_digests_of_the_manifest_choose_the_decoded_images(
    small_run: Path, split: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that was replaced is read again, whatever its size and times are."""
    asked: list[list[str]] = []
    real = pixel_cache.gathered

    def gathered(*given: Any) -> Any:
        asked.append(list(given[5]))
        return real(*given)

    monkeypatch.setattr(pixel_cache, "gathered", gathered)
    assert tsne(small_run, write_table(Path("m.csv"), split)) == 0
    assert [digest for each in asked for digest in each] == [row["sha256"] for row in split]


def test_points_of_before_are_replaced(small_run: Path, phantoms: Path) -> None:
    first = placed(small_run, phantoms / "split.csv")
    Path("points.csv").rename("before.csv")
    assert placed(small_run, "before.csv") == first


def test_where_and_root(small_run: Path, split: list[Row], phantoms: Path) -> None:
    for row in split:
        row["path"] = os.path.relpath(row["path"], phantoms)
    write_table(Path("m.csv"), split)
    rows = placed(small_run, "m.csv", "--root", phantoms, "--where", "split=train,val")
    assert [r["path"] for r in rows] == [r["path"] for r in split if r["split"] != "test"]


@pytest.mark.slow
def test_pipes(small_run: Path, phantoms: Path, tmp_path: Path) -> None:
    line = f"cat {phantoms}/split.csv | cxrtool tsne {small_run} {' '.join(SMALL + FAST)} -q"
    done = shell(tmp_path, line)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 41
    assert handy.table(done.stdout) == placed(small_run, phantoms / "split.csv")


@pytest.mark.parametrize("mistake", BAD)
def test_a_bad_manifest_is_one_line_and_exit_2(mistake: str, small_run: Path, capfd: Said) -> None:
    content, message = BAD[mistake]
    Path("m.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    assert tsne(small_run, "m.csv", "--plot", "p.png", "--stats", "s.json") == 2
    (only,) = said(capfd)
    assert only.startswith(message.replace("standard input", "m.csv"))
    assert set(os.listdir()) == {"m.csv"}


def test_images_that_cannot_be_read_are_listed(
    small_run: Path, split: list[Row], capfd: Said
) -> None:
    Path("broken.png").write_bytes(odd.PICTURES["l.png"]()[:60])
    split[3]["path"], split[8]["path"] = "broken.png", "absent.png"
    write_table(Path("m.csv"), split)
    assert tsne(small_run, "m.csv", "--plot", "p.png") == 1
    rows = rows_of(Path("points.csv"))
    assert [r["path"] for r in rows] == [r["path"] for i, r in enumerate(split) if i not in (3, 8)]
    assert [r["path"] for r in rows_of(Path("failures.csv"))] == ["broken.png", "absent.png"]
    assert sum(text.startswith(("broken.png: ", "absent.png: ")) for text in said(capfd)) == 2
    # Those that are left lie as if the others had never been.
    write_table(Path("good.csv"), [r for r in split if r["path"].startswith("/")])
    assert rows == placed(small_run, "good.csv")


def test_no_image_can_be_read(small_run: Path, capfd: Said) -> None:
    write_table(Path("m.csv"), [{"path": "absent.png", "label": "a"}])
    assert tsne(small_run, "m.csv", "--plot", "p.png") == 2
    remedy = "Run the command in the folder where the paths begin, or name this folder (--root)."
    assert said(capfd)[-1] == f"no image was found. {remedy}"
    assert [r["path"] for r in rows_of(Path("failures.csv"))] == ["absent.png"]
    assert set(os.listdir()) == {"m.csv", "failures.csv", ".cache"}


def test_strict(small_run: Path, split: list[Row]) -> None:
    split[3]["path"] = "absent.png"
    write_table(Path("m.csv"), split)
    assert tsne(small_run, "m.csv", "--strict") == 2
    assert not Path("points.csv").exists()


# --- where features are taken ---------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["map", "body.2"])
def test_other_layers(layer: str, small_run: Path, split: list[Row], phantoms: Path) -> None:
    rows = placed(small_run, phantoms / "split.csv", "--layer", layer)
    plan = projection.ProjectionSettings(max_iter=500)
    expected = projection.placed(vectors(small_run, split, layer), plan).points
    np.testing.assert_allclose(points(rows), expected, atol=1e-9)


def test_a_wrong_layer(small_run: Path, phantoms: Path, capfd: Said) -> None:
    assert tsne(small_run, phantoms / "split.csv", "--layer", "body2") == 2
    (only,) = said(capfd)
    assert only.startswith("--layer 'body2' is not one of: embedding, map, body, body.0, ")
    assert only.endswith("Did you mean 'body.2'?")


def test_a_run_of_another_task(phantoms: Path, small_run: Path, capfd: Said) -> None:
    found = run_folder.read(str(small_run))
    os.makedirs("masks")
    about = type(found.about)(**{**vars(found.about), "task": "segment"})
    run_folder.write("masks", about, found.tensors())
    assert tsne("masks", phantoms / "split.csv") == 2
    assert said(capfd) == [
        "masks: is a segmentation run, not a classifier. Use it as the model of cxrtool segment."
    ]


# --- few images -----------------------------------------------------------------------------------


def test_one_image(small_run: Path, split: list[Row], capfd: Said) -> None:
    write_table(Path("m.csv"), split[:1])
    (row,) = placed(small_run, "m.csv", "--plot", "p.png", "--stats", "s.json")
    assert (row["x"], row["y"]) == ("0.0000", "0.0000")
    assert "one image: placed at 0, 0" in said(capfd)
    stats = json.loads(Path("s.json").read_text())
    assert stats["perplexity"] is None
    assert stats["notes"] == ["one image: placed at 0, 0"]
    label = stats["probes"]["label"]
    assert (label["balanced_accuracy"], label["p"], label["neighbours"]) == (None, None, None)
    assert label["reason"] == "fewer than two values have 5 patients each"
    assert Path("p.png").exists()


def test_images_that_are_all_alike(small_run: Path, split: list[Row], capfd: Said) -> None:
    write_table(Path("m.csv"), [{**row, "path": split[0]["path"]} for row in split])
    assert not points(placed(small_run, "m.csv", "--batch", 7)).any()
    told = said(capfd)
    assert "the features of all images are alike: placed at 0, 0" in told
    assert "label: not probed: the features of all images are alike" in told[-1]


def test_more_perplexity_than_there_are_neighbours(
    small_run: Path, split: list[Row], capfd: Said
) -> None:
    write_table(Path("m.csv"), split[:10])
    placed(small_run, "m.csv")
    assert "perplexity 3 in place of 30: 10 images are few" in said(capfd)


@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_few_images(number: int, small_run: Path, split: list[Row]) -> None:
    write_table(Path("m.csv"), split[:number])
    rows = placed(small_run, "m.csv", "--plot", "p.png", "--stats", "s.json")
    assert len(np.unique(points(rows), axis=0)) == number


# --- many images ----------------------------------------------------------------------------------


def test_fft_places_them_too(small_run: Path, split: list[Row], capfd: Said) -> None:
    pytest.importorskip("openTSNE", reason="pip install 'cxrtool[tsne]'")
    write_table(Path("m.csv"), split)
    rows = placed(small_run, "m.csv", "--method", "fft", "--stats", "s.json")
    plan = projection.ProjectionSettings(max_iter=500, method="fft")
    expected = projection.placed(vectors(small_run, split), plan)
    np.testing.assert_allclose(points(rows), expected.points, atol=1e-9)
    assert json.loads(Path("s.json").read_text())["notes"] == list(expected.notes)
    assert expected.notes[0] in said(capfd)


def test_fft_needs_its_package(
    small_run: Path, phantoms: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said
) -> None:
    monkeypatch.setattr(fft_tsne, "installed", lambda: False)
    assert tsne(small_run, phantoms / "split.csv", "--method", "fft") == 2
    assert said(capfd) == [
        "--method fft needs the package openTSNE, which is not installed. "
        "pip install 'cxrtool[tsne]'"
    ]
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("number", "method", "installed", "expected"),
    [
        (5000, "auto", False, ""),
        (10_000, "auto", False, "placing 10000 points takes minutes"),
        (
            10_001,
            "auto",
            False,
            "placing 10001 points takes minutes; openTSNE is faster: pip install 'cxrtool[tsne]'",
        ),
        (10_001, "auto", True, "placing 10001 points takes minutes"),
        (10_001, "barnes-hut", False, "placing 10001 points takes minutes"),
    ],
)
def test_many_images_are_told_what_would_be_faster(
    number: int,
    method: str,
    installed: bool,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Said,
) -> None:
    monkeypatch.setattr(fft_tsne, "installed", lambda: installed)
    command.note_duration(number, method)
    assert "".join(said(capfd)).removeprefix("cxrtool: ") == expected


# --- the numbers ----------------------------------------------------------------------------------


@pytest.fixture
def two_hospitals(tmp_path: Path) -> Path:
    """Images of two sources, one of which is brighter; the labels say nothing."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(60):
        bright = number % 2
        grey = rng.integers(0, 80, (32, 32)) + 120 * bright
        path = tmp_path / f"{number}.png"
        Image.fromarray(grey.astype(np.uint8)).save(path)
        rows.append(
            {
                "path": str(path),
                "label": "ab"[number // 2 % 2],
                "patient": f"p{number}",
                "source": ("dark", "bright")[bright],
            }
        )
    return write_table(tmp_path / "two.csv", rows)


def test_disease_or_data_set(small_run: Path, two_hospitals: Path, capfd: Said) -> None:
    rows = placed(small_run, two_hospitals, "--stats", "s.json", "--permutations", 199)
    stats = json.loads(Path("s.json").read_text())
    source, label = stats["probes"]["source"], stats["probes"]["label"]
    assert source["balanced_accuracy"] > 0.95
    assert source["p"] == source["least_p"] == pytest.approx(1 / 200, abs=1e-6)
    assert source["p_holm"] == pytest.approx(4 / 200, abs=1e-6)
    assert 0.5 < source["detectable"] < source["low"] < source["balanced_accuracy"]
    assert source["neighbours"] > 0.9
    assert label["balanced_accuracy"] < 0.75
    assert set(label["within_source"]) == {"bright", "dark"}
    line = said(capfd)[-1]
    assert line.startswith("source: predictable, balanced accuracy 1.000 [")
    assert "; label within dark: " in line
    # The figures are those of the features and of the points that were written.
    chance: dict[str, Any] = {"permutations": 199, "seed": 0}
    whole = vectors(small_run, rows)
    found = linear_probe.probe(whole, [r["source"] for r in rows], np.arange(60), **chance)
    assert source["balanced_accuracy"] == found.balanced_accuracy
    assert source["classes"] == {"bright": 30, "dark": 30}
    assert stats["features"] == whole.shape[1]
    assert stats["images"] == 60


def test_images_of_one_patient_stay_together(small_run: Path, two_hospitals: Path) -> None:
    rows = rows_of(two_hospitals)
    for number, row in enumerate(rows):
        row["patient"] = f"p{number % 8}"
    write_table(Path("m.csv"), rows)
    placed(small_run, "m.csv", "--stats", "s.json")
    source = json.loads(Path("s.json").read_text())["probes"]["source"]
    assert source["reason"] == "fewer than two values have 5 patients each"
    assert source["left_out"] == {"bright": 4, "dark": 4}


def test_warnings(small_run: Path, split: list[Row], capfd: Said) -> None:
    plain = [{"path": r["path"], "label": r["label"], "split": r["split"]} for r in split]
    write_table(Path("m.csv"), plain)
    placed(small_run, "m.csv")
    told = said(capfd)
    assert "warning: no column 'patient': every image counts as a patient of its own" in told
    learned = sum(r["split"] == "train" for r in split)
    assert told[1] == (
        f"warning: {learned} of the images are of the part train: a run that learned from them "
        "may have memorised them"
    )


def test_quiet(small_run: Path, phantoms: Path, capfd: Said) -> None:
    placed(small_run, phantoms / "split.csv", "-q")
    assert said(capfd) == []


# --- the picture ----------------------------------------------------------------------------------


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the picture is made of."""
    found: list[Any] = []
    monkeypatch.setattr(plot, "scatter", lambda *args, **named: found.extend([*args, named]))
    return found


def test_the_picture_has_a_panel_a_column(
    small_run: Path, two_hospitals: Path, drawn: list[Any]
) -> None:
    rows = placed(small_run, two_hospitals, "--plot", "p.png")
    file, x, y, colours, named = drawn
    assert file == "p.png"
    np.testing.assert_allclose(np.column_stack([x, y]), points(rows), atol=1e-4)
    assert colours == {c: [r[c] for r in rows] for c in ("source", "label")}
    assert named["notes"]["source"].startswith("probe: balanced accuracy ")


def test_other_columns(small_run: Path, split: list[Row], drawn: list[Any]) -> None:
    write_table(Path("m.csv"), split)
    rows = placed(small_run, "m.csv", "--plot", "p.svg", "--color", "split,view,split")
    assert drawn[3] == {c: [r[c] for r in rows] for c in ("split", "view")}


def test_without_labels_and_sources(
    small_run: Path, split: list[Row], drawn: list[Any], capfd: Said
) -> None:
    write_table(Path("m.csv"), [{"path": r["path"], "patient": r["patient"]} for r in split])
    # Without --permutations, which would have no effect.
    given = ["--plot", "p.png", "--stats", "s.json", "-o", "points.csv", *SMALL]
    assert in_process("tsne", str(small_run), "m.csv", *given) == 0
    assert drawn[3] == {"": [""] * 40}
    assert json.loads(Path("s.json").read_text())["probes"] == {}
    assert not any("told" in text for text in said(capfd))


def test_a_column_that_is_not_there(small_run: Path, phantoms: Path, capfd: Said) -> None:
    assert tsne(small_run, phantoms / "split.csv", "--color", "label,hospital") == 2
    (only,) = said(capfd)
    assert f"{phantoms}/split.csv: no column 'hospital' among: path, " in only
    assert only.endswith("Check --colour.")


@pytest.mark.parametrize("option", ["--stats", "--failures"])
def test_the_manifest_is_not_overwritten(
    option: str, small_run: Path, split: list[Row], capfd: Said
) -> None:
    write_table(Path("m.csv"), split)
    before = Path("m.csv").read_bytes()
    assert tsne(small_run, "m.csv", option, "./m.csv") == 2
    assert said(capfd) == [
        f"{option} ./m.csv would overwrite m.csv, which is read (MANIFEST). "
        f"Name another place with {option}."
    ]
    assert Path("m.csv").read_bytes() == before


def test_any_number_of_outputs_may_go_nowhere(small_run: Path, split: list[Row]) -> None:
    write_table(Path("m.csv"), split)
    nowhere = ["--stats", "/dev/null", "--failures", "/dev/null"]
    assert tsne(small_run, "m.csv", *nowhere, output="/dev/null") == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--plot", "p.bmp"], "p.bmp: no plot is written as .bmp"),
        (["--plot", "-"], "--plot -: standard output is for the table. Name a file."),
        (["--stats", "-"], "--stats -: standard output is for the table. Name a file."),
        (["--plot", "no/p.png"], "no/p.png: no such folder"),
        (["--stats", "points.csv"], "--stats points.csv is --output too. Name two files."),
        (["--plot", "p.png", "--stats", "./p.png"], "--stats ./p.png is --plot too."),
        (["--failures", "./points.csv"], "--failures ./points.csv is --output too."),
        (["--stats", "s", "--failures", "s"], "--failures s is --stats too."),
        (["--perplexity", "0.5"], "--perplexity"),
        (["--perplexity", "nan"], "'--perplexity': "),
        (["--max-iter", "10"], "--max-iter"),
    ],
)
def test_what_could_not_be_written_is_refused_at_once(
    given: list[str], message: str, small_run: Path, phantoms: Path, capfd: Said
) -> None:
    args = ["tsne", str(small_run), str(phantoms / "split.csv"), "-o", "points.csv", *given]
    assert in_process(*args) == 2
    (only,) = said(capfd)
    assert message in only
    assert os.listdir() == []
