"""Models that are judged on different images are told of, with how many all of them have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from results import shows, skilled

from cxrtool.compare import reader_warnings, shared_images
from cxrtool.compare.comparison import Result


def judged(model: str, first: int, number: int, group: str = "", raw: bool = False) -> Result:
    """Judge some images by a model; with `raw`, prepared versions of them that are its own."""
    keys = np.arange(first, first + number)
    path = keys + 1000 * (1 + len(model)) if raw else keys
    images = {"path": path, "raw": keys if raw else np.zeros_like(keys)}
    return replace(skilled(number, model=model, group=group), images=images)


def test_the_images_in_common_are_counted() -> None:
    (one,) = shared_images.of([judged("a", 1, 60), judged("b", 31, 50)])
    assert (one.counts, one.common) == ({"a": 60, "b": 50}, 30)
    assert str(one) == (
        "the models have different images: a 60 images, b 50 images; 30 of these in common to both"
    )
    (apart,) = shared_images.of([judged("a", 1, 40, "s"), judged("b", 51, 41, "s")])
    assert str(apart).endswith(
        "of s: a 40 images, b 41 images; none of these known to be in common to both, by path or "
        "`raw`"
    )


def test_models_on_the_same_images_are_not_told_of() -> None:
    assert not [*shared_images.of([judged("a", 1, 60), judged("b", 1, 60)])]
    # By their raw files, if each model has its own version of them.
    versions = [judged("a", 1, 60, raw=True), judged("bb", 1, 60, raw=True)]
    assert not [*shared_images.of(versions)]
    (one,) = shared_images.of([versions[0], judged("bb", 1, 59, raw=True)])
    assert one.common == 59
    # Without `raw`, as many other paths may be versions of the same files.
    assert not [*shared_images.of([versions[0], judged("b", 5000, 60)])]
    assert [*shared_images.of([versions[0], judged("bb", 90, 60, raw=True)])]
    # Each group is its own comparison.
    assert not [*shared_images.of([judged("a", 1, 60, "s"), judged("b", 90, 60, "t")])]


def test_many_models_are_a_few_names() -> None:
    (one,) = shared_images.of([judged(f"m{k}", 1, 40 + k) for k in range(8)])
    assert str(one).endswith("m4 44 images, 3 more models; 40 of these in common to all 8")


def test_the_page_says_so() -> None:
    differing = shows(judged("a", 1, 60), judged("b", 31, 60))
    found = [text for level, text in reader_warnings.findings(differing) if level == "bad"]
    assert [text for text in found if text.startswith("The models have different images: a 60")]
    same = shows(judged("a", 1, 60), judged("b", 1, 60))
    assert "different images" not in str(reader_warnings.findings(same))
