"""Dividing manifests: whatever they hold, nothing that belongs together is torn apart."""

import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cxrtool.core.errors import CxrtoolError
from cxrtool.data import partition, split_rows
from cxrtool.data.split_design import Design
from cxrtool.files import table
from cxrtool.files.manifest import Manifest, Where

COLUMNS = ("path", "label", "patient", "source", "sha256", "dup_group")
Row = tuple[str, ...]

pure = settings(
    max_examples=80,
    # Many small manifests are rightly refused.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)

# Few values, so that patients, pictures and duplicate groups chain; some cells are empty.
ROW = st.tuples(
    st.integers(0, 60).map(lambda i: f"{i}.png"),
    st.sampled_from(["covid", "normal", "pneumonia", ""]),
    st.sampled_from(["", *(f"p{i}" for i in range(25))]),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["", "", *(f"s{i}" for i in range(30))]),
    st.sampled_from([""] * 9 + ["d0", "d1", "d2"]),
)
ROWS = st.lists(ROW, min_size=8, max_size=60)
DESIGNS = st.sampled_from(
    [
        {},
        {"test": 0.3, "val": 0.2},
        {"test": 0.5},
        {"folds": 3},
        {"folds": 2, "unseen": 0.25},
        {"folds": 2, "test": 0.2, "unseen": 0.2},
        {"stratify": ["label", "source"], "test": 0.4},
        {"stratify": [], "folds": 4},
        {"caps": [("label", 5)]},
        {"balance": "under"},
        {"balance": "over"},
        {"balance": "borrow=b", "test": 0.3},
        {"test_where": [Where.parse("source=b")], "drop_straddlers": True, "val": 0.2},
        {"leave_out": "source", "drop_straddlers": True},
        {"group": "none"},
    ]
)


def divide(folder: Path, rows: list[Row], **design: Any) -> partition.RowParts:
    """Divide rows as the command does."""
    file = str(folder / "m.csv")
    table.write(file, COLUMNS, rows)
    wanted = Design(**design)
    read = split_rows.SplitRows(Manifest(file), wanted)
    plan = partition.divide(read, wanted)
    partition.note_parts(read, wanted, plan)
    return plan


def parts(plan: partition.RowParts) -> list[str]:
    """Name the part of every row; an unused one has none."""
    names = [str(p) for p in plan.parts]
    both = zip(plan.part.tolist(), plan.times.tolist(), strict=True)
    return [names[k] if times else "" for k, times in both]


def torn(rows: list[Row], plan: partition.RowParts, columns: tuple[str, ...]) -> list[str]:
    """Name what stands in several parts."""
    seen = defaultdict(set)
    for row, part in zip(rows, parts(plan), strict=True):
        for column in columns:
            value = row[COLUMNS.index(column)]
            if part and value:
                seen[column, value].add(part)
    return [value for (_, value), there in seen.items() if len(there) > 1]


@pure
@given(ROWS, DESIGNS)
def test_nothing_is_torn_and_every_row_is_somewhere(
    tmp_path: Path, rows: list[Row], design: dict[str, Any]
) -> None:
    try:
        plan = divide(tmp_path, rows, **design)
    except CxrtoolError:
        assume(False)
    bound = ("path", "sha256", "dup_group") + ("patient",) * (design.get("group") != "none")
    assert torn(rows, plan, bound) == []
    assert len(plan.part) == len(rows)
    assert (plan.part[plan.used] >= 0).all()
    if not {"caps", "balance", "drop_straddlers"} & {*design}:
        assert (plan.times == 1).all()


@pure
@given(ROWS, DESIGNS, st.integers(0, 3))
def test_the_order_of_the_rows_does_not_matter(
    tmp_path: Path, rows: list[Row], design: dict[str, Any], seed: int
) -> None:
    shuffled = rows.copy()
    random.Random(seed).shuffle(shuffled)
    found = []
    for some in (rows, shuffled):
        try:
            plan = divide(tmp_path, some, **design)
        except CxrtoolError:
            found.append(None)
        else:
            found.append(Counter(zip(some, parts(plan), plan.times.tolist(), strict=True)))
    assert found[0] == found[1]


@pure
@given(ROWS, st.floats(0.1, 0.5))
def test_sizes_are_within_the_largest_group(tmp_path: Path, rows: list[Row], share: float) -> None:
    file = str(tmp_path / "m.csv")
    table.write(file, COLUMNS, rows)
    design = Design(test=share)
    read = split_rows.SplitRows(Manifest(file), design)
    try:
        plan = partition.divide(read, design)
    except CxrtoolError:
        assume(False)
    largest = Counter(read.groups(leaky=False).tolist()).most_common(1)[0][1]
    size = parts(plan).count("test")
    assert abs(size - share * len(rows)) <= largest + 1e-5


def images(**patients: int) -> list[Row]:
    """Make the rows of classes with so many patients of one image each."""
    return [
        (f"{label}{i}.png", label, f"a/{label}{i}", "a", f"{label}{i}", "")
        for label, count in patients.items()
        for i in range(count)
    ]


def from_source(rows: list[Row], source: str) -> list[Row]:
    return [
        (f"{source}/{r[0]}", r[1], f"{source}/{r[2]}", source, f"{source}{r[4]}", r[5])
        for r in rows
    ]


def labels(rows: list[Row], plan: partition.RowParts) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row, part, times in zip(rows, parts(plan), plan.times.tolist(), strict=True):
        if part:
            found[part][row[1]] += times
    return {part: dict(count) for part, count in found.items()}


def test_images_of_unknown_patients_are_not_capped_as_one(tmp_path: Path) -> None:
    rows = [(f"{i}.png", "covid", "p" if i < 8 else "", "a", "", "") for i in range(20)]
    plan = divide(tmp_path, rows, stratify=[], test=0.5, caps=[("patient", 3)])
    assert plan.used[:8].sum() == 3 and plan.used[8:].all()


def test_the_papers_eleven_folds(tmp_path: Path) -> None:
    # Luiz et al.: 572 images of each of three classes; ten folds and an unseen one of 52 each.
    rows = images(covid=576, normal=1583, pneumonia=4273)
    plan = divide(tmp_path, rows, folds=10, unseen=1 / 11, caps=[("label", 572)])
    counts = labels(rows, plan)
    assert len(counts) == 11
    assert {tuple(c.values()) for c in counts.values()} == {(52, 52, 52)}


def test_borrowed_negatives_make_up_the_difference_in_every_part(tmp_path: Path) -> None:
    # Tartaglione et al., Table I: CORDA is 297 positive and 150 negative; train and val become
    # 207 and 207, test 90 and 90, with negatives of another set.
    corda = images(positive=297, negative=150)
    rows = corda + from_source(images(negative=5856), "kermany")
    plan = divide(tmp_path, rows, test=0.3, val=0.14, balance="borrow=kermany")
    own = labels(corda, divide(tmp_path, corda, test=0.3, val=0.14))
    counts = labels(rows, plan)
    assert all(c["positive"] == c["negative"] for c in counts.values())
    assert {p: c["positive"] for p, c in counts.items()} == {"train": 166, "val": 42, "test": 89}
    assert {p: c["negative"] for p, c in own.items()} == {"train": 84, "val": 21, "test": 45}


def test_seeds_differ_and_repeat(tmp_path: Path) -> None:
    rows = images(covid=20, normal=20)
    splits = [parts(divide(tmp_path, rows, seed=seed)) for seed in (0, 0, 1, 2)]
    assert splits[0] == splits[1]
    assert len({tuple(s) for s in splits}) == 3


def test_a_chain_of_duplicates_joins_patients(tmp_path: Path) -> None:
    rows = images(covid=30, normal=30)
    for i in range(9):
        # Patient i and i + 1 share a picture, by turns an exact and a near one.
        column = 4 + i % 2
        for k in (i, i + 1):
            row = list(rows[k])
            row[column] = f"same{i}"
            rows.append((f"copy{i}-{k}.png", *row[1:]))
    plan = divide(tmp_path, rows, folds=5)
    of_chain = {p for r, p in zip(rows, parts(plan), strict=True) if r[2] in CHAIN}
    assert len(of_chain) == 1


CHAIN = {f"a/covid{i}" for i in range(10)}


def test_one_file_listed_with_and_without_its_digest_is_one_image(tmp_path: Path) -> None:
    rows = images(covid=40, normal=40)
    rows += [(r[0], r[1], f"other/{r[2]}", "b", "", "") for r in rows]
    assert torn(rows, divide(tmp_path, rows, folds=5), ("path",)) == []


def test_a_patient_is_one_even_in_two_sources(tmp_path: Path) -> None:
    rows = images(covid=30, normal=30)
    rows += [(f"b/{r[0]}", r[1], r[2], "b", f"b{r[4]}", "") for r in rows]
    assert torn(rows, divide(tmp_path, rows, folds=5), ("patient",)) == []
    with pytest.raises(CxrtoolError, match=r"60 patients or duplicate groups have images on both"):
        divide(tmp_path, rows, leave_out="source")


def test_label_and_source_are_spread_at_once(tmp_path: Path) -> None:
    rows = images(covid=40, normal=80) + from_source(images(covid=60, normal=20), "b")
    plan = divide(tmp_path, rows, test=0.2, val=0.1, stratify=["label", "source"])
    counts = Counter((r[1], r[3], p) for r, p in zip(rows, parts(plan), strict=True))
    for (label, source), size in Counter((r[1], r[3]) for r in rows).items():
        assert counts[label, source, "test"] == size * 0.2
        assert counts[label, source, "val"] == size * 0.1


def test_rows_without_a_label_neither_count_nor_go_when_balancing(tmp_path: Path) -> None:
    rows = images(covid=40, normal=80)
    rows += [(f"x{i}.png", "", f"x{i}", "a", f"x{i}", "") for i in range(10)]
    counts = labels(rows, divide(tmp_path, rows, test=0.2, balance="under"))
    assert counts["train"]["covid"] == counts["train"]["normal"] == 32
    assert counts["train"][""] + counts["test"][""] == 10
    assert counts["test"] == {"covid": 8, "normal": 16, "": counts["test"][""]}


def test_repeated_rows_go_through(tmp_path: Path) -> None:
    rows = images(covid=20, normal=60)
    counts = labels(rows, divide(tmp_path, rows, test=0.25, balance="over"))
    assert counts == {"train": {"covid": 45, "normal": 45}, "test": {"covid": 5, "normal": 15}}


def test_a_paper_split_leaks_and_says_how_much(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = [(f"{i}.png", "covid", f"p{i // 4}", "a", f"s{i}", "d" * (i < 2)) for i in range(40)]
    plan = divide(tmp_path, rows, leaky=True, stratify=[])
    assert torn(rows, plan, ("path",)) == []
    leaks = torn(rows, plan, ("patient",))
    said = f"warning: {len(leaks)} patients are in more than one part ({4 * len(leaks)} images"
    assert said in capfd.readouterr().err


@pytest.mark.parametrize(
    ("rows", "design", "message"),
    [
        (
            images(covid=1, normal=9),
            {},
            "label 'covid' has 1 patient, too few for 3 parts. Leave it out "
            "(label!=covid), merge classes in ingest, or do not stratify.",
        ),
        (
            images(covid=4, normal=9),
            {"folds": 5},
            "label 'covid' has 4 patients, too few for 5 parts. Leave it out "
            "(label!=covid), merge classes in ingest, or do not stratify.",
        ),
        (
            images(covid=4, normal=4),
            {"folds": 9},
            "8 patients cannot fill 9 parts. Ask for fewer parts.",
        ),
        (
            images(covid=9),
            {"stratify": ["label"]},
            "label is 'covid' in every row: one class only. "
            "Join another source, or do not stratify.",
        ),
        (
            images(covid=9),
            {"leave_out": "source"},
            "source is 'a' in every row, so nothing can be left out. "
            "Join the manifest of another source: cxrtool ingest A B.",
        ),
        (
            [(f"{i}.png", "covid", "p", "ab"[i % 2], "", "") for i in range(9)],
            {"leave_out": "source", "drop_straddlers": True},
            "fold 1 (a) would be empty, with 0 of 9 rows to use. "
            "Ask for a larger share, fewer parts, or fewer rows left out.",
        ),
        (
            images(covid=9),
            {"test_where": [Where.parse("source=b")]},
            "no row is in the test by source=b. Check the values.",
        ),
        (
            images(covid=9),
            {"test_where": [Where.parse("source=a")]},
            "every row is in the test by source=a. Check the values.",
        ),
        (
            images(covid=9, normal=9),
            {"balance": "borrow=nih"},
            "no row is of source 'nih'. Check the source to borrow from.",
        ),
        (
            images(covid=9, normal=9),
            {"caps": [("todo", 5)]},
            "the cap 'todo' is neither a column nor a label; labels are: covid, normal. "
            "Choose one of them.",
        ),
        (
            [("a.png", "covid", "p", "", "", ""), *images(covid=9)],
            {"leave_out": "source"},
            "some rows have no source. Fill it in, or leave these rows out.",
        ),
    ],
)
def test_a_split_that_cannot_be_made_says_why(
    tmp_path: Path, rows: list[Row], design: dict[str, Any], message: str
) -> None:
    with pytest.raises(CxrtoolError) as raised:
        divide(tmp_path, rows, **design)
    assert str(raised.value) == f"{tmp_path / 'm.csv'}: {message}"


def test_one_class_is_only_a_warning_where_no_stratify_is_given(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    divide(tmp_path, images(covid=9))
    warning = "label is 'covid' in every row: no classifier can be trained on this split alone"
    assert warning in capfd.readouterr().err


def test_a_part_too_small_for_every_class_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    divide(tmp_path, images(a=5, b=5, c=5), test=0.1)
    assert "warning: test is too small for every label; it has none of: " in capfd.readouterr().err


@pytest.mark.parametrize(
    ("design", "message"),
    [
        (
            {"leave_out": "source", "test": 0.2},
            "one fold for each source leaves no room for other parts",
        ),
        ({"test_where": [Where.parse("a=b")], "test": 0.2}, "the test set is chosen twice"),
        ({"folds": 3, "val": 0.2}, "the next fold is the validation set"),
        ({"unseen": 0.2}, "rows can be reserved from folds only"),
        ({"balance": "borrow="}, "no source to borrow from"),
        ({"test": 0.6, "val": 0.4}, "nothing is left to train on"),
    ],
)
def test_designs_that_contradict_themselves(design: dict[str, Any], message: str) -> None:
    with pytest.raises(CxrtoolError, match=message):
        Design(**design)
