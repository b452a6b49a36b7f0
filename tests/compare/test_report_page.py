"""A page tells the figures of the table, what they rest on, and how to make them again."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from browser import check, tables
from results import QUESTION, result, shows, skilled

from cxrtool.compare import comparison, report_page, result_tables
from cxrtool.compare.comparison import PRINTED, Figure, Folds, Question, Shown
from cxrtool.compare.cross_matrix import Matrix
from cxrtool.compare.display import Plot, Shows
from cxrtool.compare.report_page import ReportDetails
from cxrtool.figures.html_page import Page
from cxrtool.stats.intervals import Summary

ABOUT = ReportDetails(["runs/a.csv", "-"], "cxrtool compare runs/a.csv -")


def page(shown: Shows, about: ReportDetails = ABOUT) -> Page:
    return report_page.page(shown, about, [])


def only(shown: Shows, words: str, about: ReportDetails = ABOUT) -> list[list[str]]:
    (found,) = (t for c, t in tables(page(shown, about).render()).items() if words in c)
    return found


def texts(shown: Shows, about: ReportDetails = ABOUT) -> str:
    return page(shown, about).render()


def test_every_figure_is_that_of_the_table() -> None:
    results = [skilled(model=m, group=g, seed=ord(m)) for m in "ab" for g in "st"]
    question = replace(QUESTION, by=("source",))
    head, *rows = only(shows(*results, question=question), "All metrics")
    assert head == ["metric", "source", "class", "a", "b"]
    assert len(rows) == 2 * len(QUESTION.metrics)
    for group, metric in itertools.product("st", QUESTION.metrics):
        (row,) = (r for r in rows if r[:2] == [report_page.word(metric), group])
        assert row[2] == "ill"
        for cell, model in zip(row[3:], "ab", strict=True):
            (own,) = (r for r in results if (r.model, r.group) == (model, group))
            assert cell == result_tables.text_of(own.figures["ill", metric])


def test_the_main_figures_come_first() -> None:
    one = skilled()
    head, row = only(shows(one), "Main metrics with 95 %")
    assert head == ["model", "AUC", "sensitivity", "specificity", "balanced accuracy", "images"]
    assert row[1] == result_tables.text_of(one.figures["ill", "auc"])
    assert row[-1] == "60"
    question = replace(QUESTION, metrics=("mcc", "dor"), level=0.9)
    asked = shows(skilled(question=question), question=question)
    assert only(asked, "Main metrics with 90 %")[0] == ["model", "MCC", "DOR", "images"]


def test_the_main_figures_of_three_classes_are_their_means() -> None:
    question = Question(resamples=20)
    p = np.random.default_rng(0).dirichlet(np.ones(3), 90)
    one = result(np.arange(90) % 3, p, question=question, classes="abc")
    _, row = only(shows(one, question=question), "mean over all classes")
    assert row[1] == result_tables.text_of(one.figures["macro", "auc"])


def test_images_patients_and_classes_are_counted() -> None:
    same = [skilled(40, model=m, patients=[i // 4 for i in range(40)]) for m in "ab"]
    head, *rows = only(shows(*same, skilled(10, model="c")), "of images of each class")
    assert head == ["group", "models", "images", "patients", "well", "ill"]
    assert rows == [
        ["all images", "a, b", "40", "10", "20", "20"],
        ["all images", "c", "10", "10", "5", "5"],
    ]


def test_the_lead_names_the_positive_class_and_who_chose_it() -> None:
    lead = "Classes: well, ill. Positive class: ill"
    assert f"{lead}.</p>" in texts(shows(skilled()))
    text = texts(shows(skilled()), replace(ABOUT, guessed=True))
    assert f"{lead} (the second p_ column; <code>--positive</code> selects another)." in text
    named = result(np.arange(20) % 2, np.full((20, 2), 0.5), classes=["Normal", "ill"])
    text = texts(shows(named), replace(ABOUT, guessed=True))
    assert "Positive class: ill (because &#39;Normal&#39; is the negative class; " in text


def test_files_go_by_their_names_and_the_command_as_it_was_typed() -> None:
    text = texts(shows(skilled()))
    assert "<code>a.csv</code>, standard input." in text
    assert "<code>cxrtool compare runs/a.csv -</code>" in text
    assert text.count("runs/") == 1


def test_what_is_missing_is_told() -> None:
    about = replace(ABOUT, patients=False, skipped=3)
    assert "are in no result: 3." in texts(shows(skilled()), about)
    assert "no column" not in texts(shows(skilled()))
    assert "At least one table has no column <code>patient</code>" in texts(shows(skilled()), about)


def test_large_odds_are_numbers_too() -> None:
    one = skilled()
    one.figures["ill", "dor"] = Figure(9409, 7137.04, float("inf"))
    text = texts(shows(one, metrics=("dor",)))
    assert '<td class="number" data-value="9409.0">9,409.0<small> [7,137.0, inf]</small>' in text


def test_a_test_stands_there_once() -> None:
    a, b = skilled(model="a"), skilled(model="b")
    test = comparison.Test("delong", "b", "ill", "auc", Figure(0.1, 0.05, 0.15), 0.004, 0.012)
    a.tests.append(test)
    b.tests.append(replace(test, against="a", difference=Figure(-0.1, -0.15, -0.05)))
    rows = only(shows(a, b), "Pairs of models")[1:]
    assert rows == [["a", "b", "ill", "delong", "AUC", "0.100 [0.050, 0.150]", "0.004", "0.012"]]
    assert "Paired tests" not in texts(shows(skilled()))


def test_folds_have_a_column_of_their_own() -> None:
    one = skilled()
    spread = Summary(2, 0.8, 0.1, 0.7, 0.9, 0.75, 0.85)
    one.folds = Folds("fold", ["1", "2"], {}, dict.fromkeys(one.figures, spread))
    head, row, *_ = only(shows(one), "All metrics")
    assert head == ["metric", "class", "m", "m: mean ± std over folds"]
    assert row[-1] == "0.800 ± 0.100 (0.750 to 0.850)"


def test_a_papers_figures_stand_beside_ones_own_however_many() -> None:
    papers = [
        Shown(
            f"paper: net{n}",
            "test A",
            ["ill"],
            None,
            {("ill", "auc"): Figure(0.5 + n / 100, method=PRINTED, note="of its Table 2")},
        )
        for n in range(8)
    ]
    one = skilled()
    shown = shows(one, papers=papers)
    head, own, *rows = only(shown, "as printed")
    assert head == ["model", "class", "AUC"]
    assert own == ["m", "ill", result_tables.text_of(one.figures["ill", "auc"])]
    assert [row[2] for row in rows] == ["0.5", *(f"0.5{n}" for n in range(1, 8))]
    assert "paper: net7 (test A): of its Table 2." in texts(shown)


def test_a_matrix_has_its_cells_its_gap_and_what_was_left_out() -> None:
    one = skilled()
    matrix = Matrix(
        "auc",
        ["a"],
        ["a", "b"],
        ("model", "source"),
        {("a", "a"): one},
        {("a", "b"): 4},
        Figure(0.2, 0.1, 0.3),
    )
    shown = shows(one, matrix=matrix)
    head, row = only(shown, "columns: source")
    assert head == ["trained on (model)", "a", "b"]
    assert row == ["a", result_tables.text_of(one.figures["ill", "auc"]), ""]
    text = texts(shown)
    assert "mean of the other cells: 0.200 [0.100, 0.300]." in text
    assert "tested on b: 4 images were left out" in text


@pytest.mark.parametrize(
    ("patients", "question", "words"),
    [
        (None, QUESTION, "intervals for proportions of images; Wilson intervals for AUC"),
        ([i // 2 for i in range(60)], QUESTION, "from Obuchowski&#39;s variance, which"),
        (
            None,
            Question(positive="ill", interval="bootstrap", resamples=50),
            "percentiles of 50 bootstrap resamples of the patients",
        ),
        (None, Question(positive="ill", interval="normal", resamples=9), "normal approximation"),
    ],
)
def test_how_intervals_were_made(
    patients: list[int] | None, question: Question, words: str
) -> None:
    one = skilled(patients=patients, question=question)
    assert words in texts(shows(one, question=question))


def test_figures_without_intervals() -> None:
    question = Question(positive="ill", metrics=("auc",))
    one = result([1] * 40, np.linspace(0, 1, 40), question=question)
    assert "No result has a confidence interval." in texts(shows(one, question=question))


def test_names_are_data() -> None:
    names = ["<script>alert(1)</script>", "a\nb", "../x", "x" * 200, "肺炎", "`", "\x00", "", "|"]
    question = Question(by=("source",), positive="<b>", resamples=0)
    results = [
        result(
            [0, 1] * 20,
            np.linspace(0, 1, 40),
            model=name,
            group=name,
            sources=[name] * 40,
            question=question,
            classes=["`x`", "<b>"],
        )
        for name in names
    ]
    about = ReportDetails([f"{names[0]}/{names[1]}"], " ".join(names))
    reader = check(page(shows(*results, question=question), about))
    assert "b" in [tag for tag, _ in reader.elements]  # the numbers of the tables
    assert "detection of <b>" in reader.text("h1")[0]


def test_of_many_pictures_the_first_are_shown() -> None:
    pictures = [
        Plot(f"{kind}{n}.svg", kind, "", "", lambda path: None)
        for kind in ("confusion", "roc", "matrix")
        for n in range(20)
    ]
    kinds = [picture.kind for picture in report_page.chosen(pictures)]
    assert kinds == [
        kind for kind in ("matrix", "roc", "confusion") for _ in range(report_page.PICTURES)
    ]
