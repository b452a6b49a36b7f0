"""An audit's page says first what was found, hides nothing, and fits a phone and two sheets."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audit_cases import make_case
from browser import Browser, browser, check

from cxrtool.audit import estimates, pictures, runner, verdicts
from cxrtool.audit import page as pages
from cxrtool.audit.case import Case
from cxrtool.audit.runner import Plan
from cxrtool.audit.verdicts import CheckRow
from cxrtool.core import registry
from cxrtool.figures import html_page
from cxrtool.figures.html_page import Page
from cxrtool.images.bystanders import NAMES

__all__ = ["browser"]

CHECKS = ["overlap", "within", "independence"]


def audited(case: Case, folder: Path) -> tuple[Page, Plan, list[CheckRow], str]:
    case, plan = runner.plan(case, CHECKS, ["--margin"])
    rows = runner.run(case, plan, str(folder))
    overall = verdicts.overall(rows)
    drawn = pictures.draw(case, rows, str(folder))
    return pages.page(case, plan, rows, overall, drawn), plan, rows, overall


def row(name: str, verdict: str, kind: str = verdicts.CONFIRMATORY, **more: object) -> CheckRow:
    made = CheckRow(name, kind, verdict=verdict, meaning=f"What {name} means.", next="Do it.")
    return replace(made, **more)


@pytest.mark.parametrize("verdict", verdicts.WORST_FIRST)
def test_the_verdict_is_the_first_word_and_a_sentence_says_what_it_means(verdict: str) -> None:
    case, plan = runner.plan(make_case(), CHECKS, [])
    tested = {"ladder": [(0.0, 1.0)]}
    rows = [row("one", verdict, **tested), row("two", verdicts.EXCLUDED, **tested)]
    reader = check(pages.page(case, plan, rows, verdicts.overall(rows)))
    assert reader.text("h2")[0] == "Verdict"
    assert reader.text("strong")[0] == f"{verdict}."
    text = " ".join(reader.text("p"))
    assert pages.CONCLUSIONS[verdict] in text
    assert ("What one means." in text) == (verdict != verdicts.EXCLUDED)
    assert "not a medical device" in text
    assert "has learned" not in text


def test_a_fault_that_is_counted_is_no_effect_that_is_tested() -> None:
    rows = [row("leaks", verdicts.SHOWN), row("within", verdicts.EXCLUDED)]
    assert pages.conclusion(make_case(), rows, verdicts.SHOWN) == pages.FAULTY


def test_an_untested_result_is_not_called_consistent() -> None:
    rows = [row("broken", verdicts.EXCLUDED, check="broken", low=0.7)]
    assert pages.conclusion(make_case(), rows, verdicts.EXCLUDED) == pages.UNTESTED
    no_model = replace(make_case(), models=[])
    assert pages.conclusion(no_model, rows, verdicts.EXCLUDED) == pages.NO_MODEL
    guess = [replace(rows[0], low=0.45), row("within", verdicts.EXCLUDED, ladder=[(0.0, 0.0)])]
    assert pages.conclusion(make_case(), guess, verdicts.EXCLUDED) == pages.GUESS
    assert not any("consistent" in text for text in (pages.UNTESTED, pages.NO_MODEL, pages.GUESS))


def test_where_nothing_was_assessed_nothing_is_consistent() -> None:
    rows = [row("leaks", verdicts.NOT_ASSESSED), row("within", verdicts.NOT_ASSESSED)]
    assert pages.conclusion(make_case(), rows, verdicts.NOT_ASSESSED) == pages.NOTHING
    assert "consistent" not in pages.NOTHING


def test_each_row_has_its_numbers_its_sentence_and_its_next_step(tmp_path: Path) -> None:
    page, _, rows, _ = audited(make_case(association=0.8, use=2), tmp_path)
    text = html(page)
    for one in rows:
        assert f'<th scope="row">{one.name}</th>' in text
        assert one.meaning in text
        assert pages.COMMAND.sub(r"<code>\1</code>", one.next) in text
    (within,) = [r for r in rows if r.name == "within source"]
    assert within.verdict == verdicts.SHOWN
    for name in ("p", "detectable", "patients", "sources"):
        assert re.search(rf'data-name="{name}">[\d.]', text)
    assert f"{within.value:.3f}<small> [{within.low:.3f}, {within.high:.3f}]</small>" in text


def html(page: Page) -> str:
    """Return the page with its apostrophes as they were."""
    check(page)
    return page.render().replace("&#39;", "'")


def test_the_page_of_classes_without_overlap_begins_with_the_picture_of_it(tmp_path: Path) -> None:
    page, *_, overall = audited(make_case(association=2, sources=("cohen", "nih")), tmp_path)
    assert overall == verdicts.NOT_IDENTIFIABLE
    first, *rest = page.sections
    captions = [block["caption"] for block in first.blocks if block["kind"] == "picture"]
    assert len(captions) == 1 and captions[0].startswith("Patients by source and class")
    text = " ".join(block.get("text", "") for block in first.blocks)
    assert "No source has patients of both classes" in text
    assert "The source alone predicts the label with AUC 1.000 (cross-validated by patient)" in text
    assert "Add images of both classes from the same source" in text
    # It is there once.
    assert not [b for s in rest for b in s.blocks if b.get("caption") == captions[0]]


def test_methods_and_references_are_last_and_absent_columns_are_named(tmp_path: Path) -> None:
    page, plan, _, _ = audited(make_case(), tmp_path)
    reader = check(page)
    assert reader.text("h2")[-2:] == ["Methods", "References"]
    assert plan.absent == ["sex", "age"]
    text = " ".join(reader.text("p"))
    assert " sex, age. A cause that only such a column would show" in text
    assert "Changed from the defaults: --margin." in text


def with_cues(case: Case) -> Case:
    """Plant burnt-in text in the images of one class."""
    values = np.random.default_rng(0).normal(size=(len(case.images), len(NAMES)))
    values[:, NAMES.index("text_count")] += 3 * case.images.positive
    return replace(case, measured=lambda: values)


def test_the_advice_on_cues_links_to_their_table(tmp_path: Path) -> None:
    """The terminal and audit.csv name the page; on the page the table has a number."""
    case, plan = runner.plan(with_cues(make_case()), ["overlap", "bystanders", "attributes"], [])
    rows = runner.run(case, plan, str(tmp_path))
    (cues,) = [one for one in rows if one.name == "bystanders"]
    assert cues.verdict == verdicts.SHOWN and pages.CUES in cues.next
    page = pages.page(case, plan, rows, verdicts.overall(rows))
    link = re.search(r'<a href="#(table-\d+)">(Table \d+)</a>', text := html(page))
    assert link and pages.CUES not in text
    caption = re.search(f'<figcaption id="{link[1]}"><b>{link[2]}.</b> ([^<]+)', text)
    assert caption and caption[1].startswith("AUC for new patients from each kind of cue alone.")


def test_rows_of_all_images_of_the_manifest_say_so(tmp_path: Path) -> None:
    case = with_cues(make_case())
    held_out = np.flatnonzero(case.images.columns["split"].isin(("test",)))
    (model,) = case.models
    part = replace(model, rows=held_out, scores=model.scores[held_out])
    part = replace(part, predicted=model.predicted[held_out])
    said = []
    for models, name in (([part], "part"), ([model], "whole")):
        (tmp_path / name).mkdir()
        own, plan = runner.plan(replace(case, models=models), ["bystanders"], [])
        rows = runner.run(own, plan, str(tmp_path / name))
        page = pages.page(own, plan, rows, verdicts.overall(rows))
        (table,) = [b for b in page.sections[1].blocks if b["kind"] == "entries"]
        said.append("all labelled images of the manifest" in table["caption"])
    assert said == [True, False], "where all images are judged there is nothing to explain"


def test_only_rows_with_a_p_are_said_to_be_adjusted(tmp_path: Path) -> None:
    """`broken` has an interval and no test; its interval is that of the AUC alone."""
    case, plan = runner.plan(make_case(use=1), [*CHECKS, "broken"], [])
    rows = runner.run(case, plan, str(tmp_path))
    (broken,) = [one for one in rows if one.name == "broken"]
    assert not np.isnan(broken.low) and np.isnan(broken.p) and not broken.is_tested
    page = pages.page(case, plan, rows, verdicts.overall(rows))
    (caption,) = [b["caption"] for b in page.sections[1].blocks if b.get("number") == 1]
    assert "Rows with a `p` are tests" in caption
    assert "The interval of `broken` is that of the AUC, of 95 %, and tests nothing." in caption
    without = pages.page(case, plan, [one for one in rows if one is not broken], "excluded")
    assert "The interval of" not in html(without)
    confirmatory = [one for one in rows if one.kind == verdicts.CONFIRMATORY]
    assert all(np.isnan(one.p) != one.is_tested for one in confirmatory)


HOSTILE = ("<script>alert(1)</script>", "a\nb", "", "{0}{low}", "x" * 300)


def test_hostile_names_stay_data(tmp_path: Path) -> None:
    case = make_case(sources=HOSTILE, association=0.3, models=HOSTILE[:2])
    case = replace(case, positive="<b>&", negatives=["'\"", "`x`"])
    page, *_ = audited(case, tmp_path)
    reader = check(page)
    assert len(reader.all("script")) == 1
    pictured = "".join(p.read_text() for p in (tmp_path / pictures.FOLDER).iterdir())
    assert "<script>" not in pictured


def test_the_same_case_gives_the_same_bytes(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        texts.append(audited(make_case(), tmp_path / name)[0].render())
    assert texts[0] == texts[1]
    names = sorted(p.name for p in (tmp_path / "one" / pictures.FOLDER).iterdir())
    assert names == ["effects.svg", "patients.svg", "roc.svg", "scores.svg"]


# As long as the longer ones of the descriptive checks are on real images.
LONG = (
    "AUC of 200 held-out images is 0.514; border removed 0.526, corners covered 0.510, text "
    "covered 0.517, equalised 0.573. The largest change is by 'lungs out', -0.110 [-0.321, 0.118]. "
    "The network was not trained on such images: its AUC may fall for that alone"
)
INSIDE = (
    "AUC is 0.911; over pairs of the same view (47.7 % of all pairs) it is 0.908. The view changes "
    "the AUC of these images by less than the margin, 0.003 [-0.011, 0.024]."
)
# What a confirmatory row says, at most, and what it advises.
UNDECIDED = (
    "AUC is 0.531; over pairs with a similar bystander score it is 0.511. These images cannot tell "
    "whether the difference exceeds the margin. These images would show a true difference of 0.221 "
    "or more (with a power of 80 %)."
)
ADVICE = (
    "Test on images where source and label are independent, or compare models with "
    "'cxrtool compare --by source'."
)


def full_page(folder: Path) -> Path:
    """Write a page with as many rows as all checks together have, and all their references."""
    case = make_case(association=0.5, use=1, sources=("hospital of the north", "south"))
    page_, plan, rows, _ = audited(case, folder)
    assert page_.sections
    tested = next(r for r in rows if r.is_tested)
    undecided = {"verdict": verdicts.INCONCLUSIVE, "meaning": UNDECIDED, "next": ADVICE}
    more = [replace(tested, name=f"within column {k}", **undecided) for k in range(2)]
    every = registry.names("checks")
    for name in sorted(set(every) - set(CHECKS)):
        kind = runner.module(name).KIND
        meaning = f"{LONG}." if kind == verdicts.DESCRIPTIVE else INSIDE
        about = {"value": 0.5, "low": 0.4, "high": 0.6, "meaning": meaning, "next": ""}
        # Some checks always lack something: several models, say.
        lacking = name in ("preprocessing", "reuse")
        word = "" if kind == verdicts.DESCRIPTIVE else verdicts.EXCLUDED
        more.append(row(name, verdicts.NOT_ASSESSED if lacking else word, kind, **about))
    rows = [*rows, *more]
    drawn = pictures.draw(case, rows, str(folder))
    plan = replace(plan, checks=every)
    page = pages.page(case, plan, rows, verdicts.overall(rows), drawn)
    html_page.write(folder / "audit.html", page)
    return folder / "audit.html"


def test_it_fits_a_phone_and_prints_on_two_sheets(browser: Browser, tmp_path: Path) -> None:
    file = full_page(tmp_path)
    for width in (360, 390, 1280):
        browser.open(file, width)
        assert browser.run("document.documentElement.scrollWidth") <= width
        # No picture scrolls sideways.
        too_wide = "one.clientWidth > one.closest('figure').clientWidth"
        wide = f"[...document.images].filter((one) => {too_wide})"
        assert browser.run(f"{wide}.length") == 0 and browser.run("document.images.length") > 0
        # The verdict is in sight without scrolling.
        assert browser.run("document.querySelector('.verdict').getBoundingClientRect().top") < 600
        assert browser.violations() == []
    for width, height in ((8.27, 11.69), (8.5, 11)):  # A4 and Letter
        options = {"paperWidth": width, "paperHeight": height, "preferCSSPageSize": True}
        printed = base64.b64decode(browser.call("Page.printToPDF", **options)["data"])
        assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) == 2, (width, height)
    lacking = "Not assessed, and only on the screen: preprocessing, reuse."
    assert browser.run(f"document.body.textContent.includes({lacking!r})")
    hidden = "[...document.querySelectorAll('tbody.screen th')].map((cell) => cell.textContent)"
    assert browser.run(hidden) == ["preprocessing", "reuse"]


def test_a_row_as_it_comes_back_from_json_makes_the_same_page(tmp_path: Path) -> None:
    case, plan = runner.plan(make_case(), CHECKS, [])
    rows = runner.run(case, plan, str(tmp_path))
    again = [CheckRow.of(one.record()) for one in rows]
    first, second = (pages.page(case, plan, r, "excluded").render() for r in (rows, again))
    assert first == second
    assert np.isnan(rows[-1].low) == np.isnan(again[-1].low)


def test_a_cue_in_the_images_is_not_said_to_be_used(tmp_path: Path) -> None:
    """Only rows about a model say what the model uses."""
    tested = {"ladder": [(0.8, 0.9)], "low": 0.8}
    cue = row("bystanders", verdicts.SHOWN, **tested)
    assert pages.conclusion(make_case(), [cue], verdicts.SHOWN) == pages.CUE
    used = row("bystanders used (m)", verdicts.SHOWN, **tested)
    shown = pages.CONCLUSIONS[verdicts.SHOWN]
    assert pages.conclusion(make_case(), [cue, used], verdicts.SHOWN) == shown
    other = row("within source (m)", verdicts.INCONCLUSIVE, **tested)
    assert pages.conclusion(make_case(), [cue, other], verdicts.SHOWN) == pages.CUE


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (["0"], "predictions of the model '0'."),
        (["a", "b"], "predictions of the models 'a', 'b'."),
        ([*"abcdefgh"], "predictions of the models 'a', 'b', 'c', 'd', 'e', 'f', and 2 more."),
        ([], "a manifest without predictions."),
    ],
)
def test_the_first_sentence_names_the_models(models: list[str], said: str) -> None:
    case, plan = runner.plan(make_case(models=models), CHECKS, [])
    assert said in html(pages.page(case, plan, [], verdicts.EXCLUDED))


def test_one_image_is_not_called_images(tmp_path: Path) -> None:
    case = replace(make_case(), unmatched=1, relabelled=1, learned=1)
    patients = case.images.identities["patient"].copy()
    patients[0] = 0
    identities = {**case.images.identities, "patient": patients}
    case = replace(case, images=replace(case.images, identities=identities))
    text = html(audited(case, tmp_path)[0])
    assert not re.search(r"\b1 (images|predictions|patients)\b", text)
    assert "1 image without a patient counts as a patient of its own" in text
    assert "Not in the manifest: 1 image of the predictions" in text
    assert "Not judged, as learned from: 1 prediction of" in text


def test_images_without_a_patient_are_counted_in_the_first_sentence(tmp_path: Path) -> None:
    case = make_case()
    unknown = case.images.identities["patient"].copy()
    unknown[case.judged[:7]] = 0
    identities = {**case.images.identities, "patient": unknown}
    partly = replace(case, images=replace(case.images, identities=identities))
    text = audited(partly, tmp_path)[0].render()
    assert "7 images without a patient count as patients of their own" in text
    (tmp_path / "whole").mkdir()
    assert "without a patient" not in audited(case, tmp_path / "whole")[0].render()


def test_where_sources_are_not_named_the_first_advice_is_to_name_them(tmp_path: Path) -> None:
    unnamed = replace(row("overlap", verdicts.NOT_ASSESSED), check="overlap", next="Name them.")
    cue = row("bystanders", verdicts.SHOWN, next="Remove the cues.")
    case, plan = runner.plan(make_case(), CHECKS, [])
    text = html(pages.page(case, plan, [cue, unnamed], verdicts.SHOWN))
    assert re.search(r"What to do.{0,40}Name them\. Remove the cues\.", text, re.DOTALL)
    unsure = row("within view (m)", verdicts.INCONCLUSIVE, next="Test more.")
    text = html(pages.page(case, plan, [unsure, unnamed], verdicts.INCONCLUSIVE))
    assert re.search(r"Name them\. Add patients of both classes.{0,60}Test more\.", text, re.DOTALL)
    for one_source in (make_case(sources=["A"]), make_case(columns=["view"])):
        found = runner.assess("overlap", one_source)
        assert [one.next for one in found] == [estimates.NAME_SOURCES]
