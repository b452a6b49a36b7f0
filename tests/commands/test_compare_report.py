"""`cxrtool compare --plots DIR --report FILE.html`, run as users run it."""

from __future__ import annotations

import csv
import html
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, browser, tables
from handy import in_process, snapshot, table, weak

from cxrtool.compare import display, report_page

assert browser  # a fixture

Said = pytest.CaptureFixture[str]
CLASSES = ("normal", "covid", "pneumonia")
FAST = ("--bootstrap", "40")
NAMES = [
    "<script>document.title='x'</script>",
    "a\nb",
    "../../up",
    "x" * 200,
    "肺炎 العربية",
    "M",
    "m",
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path / "work")
    yield
    assert os.listdir(tmp_path / "tmp") == []


def made(
    name: str,
    *,
    classes: int = 2,
    images: int = 60,
    skill: float = 1.5,
    seed: int = 0,
    label: int | None = None,
    flat: bool = False,
    **columns: str,
) -> str:
    """Write predictions, of patients with two images each."""
    labels = np.random.default_rng(0).integers(0, classes, images)
    labels = labels if label is None else np.full(images, label)
    scores = np.random.default_rng(seed + 1).normal(size=(images, classes))
    p = np.exp((scores + skill * np.eye(classes)[labels]) * (not flat))
    p /= p.sum(1, keepdims=True)
    with open(name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        fixed = {"model": name.removesuffix(".csv")} | columns
        writer.writerow(
            [
                "path",
                "label",
                "patient",
                "source",
                "fold",
                *fixed,
                *(f"p_{c}" for c in CLASSES[:classes]),
            ]
        )
        for i in range(images):
            writer.writerow(
                [
                    f"{i}.png",
                    CLASSES[labels[i]],
                    f"p{i // 2}",
                    "ab"[i // 2 % 2],
                    i // 2 % 3,
                    *fixed.values(),
                    *map(repr, p[i].tolist()),
                ]
            )
    return name


def compare(*args: str, code: int = 0) -> str:
    assert in_process("compare", *args, *FAST, "-o", "out") == code
    return Path("out").read_text() if Path("out").exists() else ""


def page(*args: str) -> str:
    compare(*args, "--report", "page.html")
    return Path("page.html").read_text(encoding="utf-8")


def test_plots_and_page_and_the_table_as_before() -> None:
    made("a.csv")
    made("b.csv", seed=1)
    plain = compare("a.csv", "b.csv", "--paired-test", "delong", "--format", "csv")
    asked = ("--plots", "deep/plots", "--report", "page.html", "--format", "csv")
    assert compare("a.csv", "b.csv", "--paired-test", "delong", *asked) == plain
    assert sorted(snapshot(Path("deep/plots"))) == [
        "calibration.svg",
        "confusion-a.svg",
        "confusion-b.svg",
        "forest-auc.svg",
        "histograms-a.svg",
        "histograms-b.svg",
        "precision-recall.svg",
        "roc.svg",
    ]
    text = Path("page.html").read_text()
    assert text.count("<img ") == 8
    assert "Paired tests between models" in text
    assert "http://" not in text.replace("http://www.w3.org", "")


@pytest.mark.parametrize(("most", "sentences"), [(2, 0), (1, 2)])
def test_the_page_says_where_it_has_not_all_plots(
    most: int, sentences: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two models there are two confusion matrices and two histograms, one of all else."""
    monkeypatch.setattr(report_page, "PICTURES", most)
    made("a.csv")
    made("b.csv", seed=1)
    text = page("a.csv", "b.csv")
    assert text.count(f"The first {most} are shown here") == sentences


def test_the_page_has_the_numbers_of_the_table() -> None:
    made("a.csv")
    made("b.csv", seed=1)
    rows = compare("a.csv", "b.csv", "--by", "source", "--report", "page.html").splitlines()
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows[2:]]
    wanted = [[display.word(m), g, c, *rest] for g, c, m, *rest in cells if m != "n"]
    found = tables(Path("page.html").read_text())
    assert next(t[1:] for caption, t in found.items() if "All metrics" in caption) == wanted
    counted = next(t[1:] for caption, t in found.items() if "images of each class" in caption)
    assert [[row[0], row[2]] for row in counted] == [[g, n] for g, _, m, n, *_ in cells if m == "n"]


def test_the_same_command_makes_the_same_bytes_again() -> None:
    made("a.csv")
    found = []
    for _ in range(2):
        page("a.csv", "--plots", "plots")
        found.append((snapshot(Path("plots")), Path("page.html").read_bytes()))
    assert found[0] == found[1]


def test_the_command_on_the_page_makes_it_again() -> None:
    made("it's a.csv", images=20)
    options = ["--metrics", "auc", "--where", "source=a,b", "--where", "fold!=9", "-q"]
    text = page("it's a.csv", *options)
    command = html.unescape(re.search(r"<pre.*?><code>(.*?)</code>", text, re.S)[1])
    assert " \\\n    " in command
    # A shell reads on where a line ends in a backslash.
    first, verb, *args = shlex.split(command.replace("\\\n", ""))
    assert (first, verb) == ("cxrtool", "compare")
    assert "-q" not in args and "--quiet" not in args
    os.unlink("page.html")
    assert in_process("compare", *args) == 0
    assert Path("page.html").read_text(encoding="utf-8") == text


def test_three_classes_groups_and_folds() -> None:
    made("a.csv", classes=3)
    text = page("a.csv", "--by", "source", "--pool", "fold", "--plots", "plots", "--metrics", "auc")
    names = set(snapshot(Path("plots")))
    assert {
        "roc-covid-a.svg",
        "roc-pneumonia-a.svg",
        "histograms-normal-a.svg",
        "confusion-a-a.svg",
        "confusion-a-b.svg",
    } <= names
    assert "mean ± std over folds" in text
    text = page("a.csv", "--positive", "pneumonia", "--plots", "others", "--metrics", "auc,dor")
    assert {"roc.svg", "forest-dor.svg"} <= set(snapshot(Path("others")))
    assert "detection of pneumonia" in text


def test_one_image_one_class_and_scores_all_alike(capfd: Said) -> None:
    made("one.csv", images=1)
    text = page("one.csv", "--plots", "plots")
    assert "Only one class is present" in text and "Fewer than 30 images" in text
    made("same.csv", label=1)
    assert "AUC and other metrics that need two classes" in page("same.csv", "--by", "source")
    made("flat.csv", flat=True)
    assert "The model does not distinguish" in page("flat.csv")
    assert "Traceback" not in capfd.readouterr().err


def test_a_matrix() -> None:
    made("a.csv", model="a")
    made("b.csv", model="b", seed=1)
    text = page("a.csv", "b.csv", "--matrix", "model,source", "--plots", "plots")
    assert "matrix.svg" in snapshot(Path("plots"))
    (found,) = (t for c, t in tables(text).items() if "columns: source" in c)
    assert found[0] == ["trained on (model)", "a", "b"]
    assert "AUC on the own data set minus AUC on other data sets:" in text


def test_a_matrix_without_images_is_no_good_news() -> None:
    made("a.csv", model="a", split="train")
    text = page("a.csv", "--matrix", "model,source", "--plots", "plots")
    assert "No image could be evaluated" in text
    assert "found a problem" not in text


def test_published_figures_stand_beside() -> None:
    made("a.csv")
    paper = ("--published", "tartaglione:model=resnet18,train=CORDA", "--format", "csv")
    found = tables(page("a.csv", *paper))
    (rows,) = (t for c, t in found.items() if "as printed" in c)
    assert rows[1][0] == "a"
    assert len(rows) > 8 and all(row[0].startswith("tartaglione: resnet18") for row in rows[2:])


def test_hostile_names_are_data_and_files_stay_where_they_belong(tmp_path: Path) -> None:
    for at, name in enumerate(NAMES):
        made(f"{at}.csv", seed=at, images=30, model=name)
    files = [f"{at}.csv" for at in range(len(NAMES))]
    text = page(*files, "--plots", "plots", "--metrics", "auc")
    assert "<script>document" not in text
    names = list(snapshot(Path("plots")))
    assert len({n.casefold() for n in names if n.startswith("confusion")}) == len(NAMES)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+=-]*\.svg", name) for name in names)
    outside = {*files, "plots", "page.html", "out"}
    assert set(os.listdir()) == outside and os.listdir(tmp_path) == ["tmp", "work"]


def test_rows_that_cannot_be_judged_are_counted() -> None:
    made("a.csv")
    with open("a.csv", "a") as file:
        file.write("x.png,covid,p,a,1,a,0.9,0.9\n")
    compare("a.csv", "--report", "page.html", "--failures", "f.csv", code=1)
    assert "could not be evaluated, and are in no result: 1." in Path("page.html").read_text()
    assert len(table(Path("f.csv").read_text())) == 1


def test_what_could_not_be_written_is_refused_before_any_work(capfd: Said) -> None:
    made("a.csv")
    Path("file").write_text("mine")
    Path("folder").mkdir()
    for options, message in (
        (("--report", "-"), "--report -: standard output is for the table. Name a file."),
        (("--report", "a.csv"), "--report a.csv would overwrite a.csv, which is read (PR"),
        (("--report", "out"), "--report out is --output too. Name two files."),
        (("--report", "folder"), "folder: is a folder. Name a file in it."),
        (("--report", "no/page.html"), "no/page.html: no such folder. Choose a place that"),
        (("--plots", "-"), "--plots '-' is no folder. Name one."),
        (("--report", "f.csv", "--failures", "f.csv"), "--failures f.csv is --report too. Name"),
        (("--plots", "file"), "file: file exists. Choose a place that can be written."),
        (("--plots", "file/plots"), "file/plots: not a directory. Choose a place that can be"),
    ):
        compare("a.csv", *options, code=2)
        assert f"cxrtool compare: {message}" in capfd.readouterr().err
    assert Path("file").read_text() == "mine"
    assert sorted(os.listdir()) == ["a.csv", "file", "folder"]


def test_a_folder_of_others_is_refused(tmp_path: Path, capfd: Said) -> None:
    run = weak(tmp_path / "work")
    made("a.csv")
    Path("closed").mkdir(mode=0o500)
    found = run("compare", "a.csv", "--plots", "closed")
    assert (found.returncode, found.stdout) == (2, "")
    assert "closed: permission denied" in found.stderr


def test_a_browser_reads_the_page(browser: Browser, tmp_path: Path) -> None:
    for at, name in enumerate(NAMES[:4]):
        made(f"{at}.csv", seed=at, images=30, model=name)
    page(*(f"{at}.csv" for at in range(4)), "--paired-test", "delong")
    for width, dark in ((1200, False), (360, True)):
        browser.open(Path("page.html").resolve(), width, dark)
        complaints = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        assert browser.found(*complaints) == []
        urls = [e["request"]["url"] for e in browser.found("Network.requestWillBeSent")]
        assert {url[:10] for url in urls} == {
            "data:image",
            Path("page.html").resolve().as_uri()[:10],
        }
        assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.run("[...document.images].every((i) => i.complete && i.naturalWidth > 0)")
        assert browser.run("document.title") == "4 models: detection of covid"
        assert browser.violations() == []
    click = "document.querySelectorAll('table')[0].querySelectorAll('th [role=button]')[1].click()"
    browser.run(click)
    values = browser.run(
        "[...document.querySelector('tbody').rows].map((r) => Number(r.cells[1].dataset.value))"
    )
    assert values == sorted(values) and len(set(values)) == 4
