"""Augmentation does to a picture what its keys say, and the same in every process."""

from __future__ import annotations

import pytest
import torch

from cxrtool.core.errors import CxrtoolError
from cxrtool.learn.augmentation import augmented, drawn, parse

SIDE = 32


def pictures(number: int = 1) -> torch.Tensor:
    """A bright square, left of the middle and above it, on dark ground."""
    images = torch.full((number, 1, SIDE, SIDE), 40.0)
    images[..., 6:12, 8:14] = 200
    return images


def after(text: str, number: int = 1, seed: int = 0) -> torch.Tensor:
    augmentation = parse(text)
    return augmented(pictures(number), drawn(augmentation, number, seed), augmentation.fill)


def middle(image: torch.Tensor) -> tuple[float, float]:
    rows, columns = torch.nonzero(image[0, 0] > 120, as_tuple=True)
    return rows.float().mean().item(), columns.float().mean().item()


def test_nothing_leaves_an_image_as_it_is() -> None:
    assert parse("").is_none and parse("none").is_none and parse("fill=constant").is_none
    assert torch.equal(after(""), pictures())


def test_flips_are_exact() -> None:
    torch.testing.assert_close(after("hflip=1"), pictures().flip(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(after("vflip=1"), pictures().flip(2), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    "text, rows, columns",
    [("shift-x=0.25..0.25", 0, -8), ("shift-y=-0.25..-0.25", 8, 0), ("shift=0.125..0.125", -4, -4)],
)
def test_shifts_are_shares_of_the_side(text: str, rows: float, columns: float) -> None:
    before, now = middle(pictures()), middle(after(text))
    assert now == pytest.approx((before[0] + rows, before[1] + columns), abs=0.1)


def test_zoom_above_one_shrinks_and_scale_above_one_enlarges() -> None:
    area = int((pictures() > 120).sum())
    assert int((after("zoom=1.5..1.5") > 120).sum()) == pytest.approx(area / 2.25, rel=0.15)
    assert int((after("scale=1.5..1.5") > 120).sum()) == pytest.approx(area * 2.25, rel=0.15)


def test_rotation_turns_about_the_middle() -> None:
    torch.testing.assert_close(after("rotate=180..180"), pictures().flip(2, 3), atol=0.01, rtol=0)
    quarter = after("rotate=90..90")
    turned = [torch.rot90(pictures(), k, (2, 3)) for k in (1, 3)]
    assert any(torch.allclose(quarter, t, atol=0.01) for t in turned)


def test_what_comes_from_outside() -> None:
    assert after("shift-x=0.5..0.5,fill=constant")[0, 0, 0].min() == 0
    assert after("shift-x=0.5..0.5")[0, 0, 0].min() == 40


def test_brightness_and_contrast() -> None:
    assert after("brightness=1.2..1.2").max() == pytest.approx(240)
    assert after("brightness=2..2").max() == 255
    lower = after("contrast=0.5..0.5")
    assert lower.mean().item() == pytest.approx(pictures().mean().item(), rel=1e-4)
    assert lower.std().item() == pytest.approx(pictures().std().item() / 2, rel=1e-4)


def test_values_stay_in_their_range_and_fill_it() -> None:
    values = drawn(parse("rotate=5,zoom=0.02,brightness=0.5..1.3,hflip=0.25"), 4000, 1)
    assert values["rotate"].abs().max() <= 5 and values["rotate"].std() == pytest.approx(2.89, 0.05)
    assert values["zoom"].min() >= 0.98 and values["zoom"].max() <= 1.02
    assert not torch.equal(values["zoom"], values["zoom_again"])
    assert values["brightness"].min() >= 0.5 and values["brightness"].max() <= 1.3
    assert values["hflip"].float().mean() == pytest.approx(0.25, abs=0.03)


def test_a_batch_is_the_same_in_parts() -> None:
    """Processes that share a batch draw for all of it, and take their part."""
    text = "rotate=10,shift=0.1,zoom=0.1,shear=5,hflip=0.5,brightness=0.8..1.2"
    values = drawn(parse(text), 8, 3)
    whole = augmented(pictures(8), values)
    halves = [
        augmented(pictures(4), {k: v[part] for k, v in values.items()})
        for part in (slice(0, 4), slice(4, 8))
    ]
    torch.testing.assert_close(whole, torch.cat(halves))


@pytest.mark.parametrize(
    "text, message",
    [
        ("rotat=5", "augmentation 'rotat' is not one of: rotate, .* Did you mean 'rotate'?"),
        ("rotate", "augmentation rotate has no value. Write it as rotate=0.1."),
        ("zoom=a", "augmentation zoom=a is neither a number nor LOW..HIGH."),
        ("zoom=2..1", "augmentation zoom=2..1 is neither a number nor LOW..HIGH."),
        ("hflip=50", "hflip=50: a flip has one value, the probability that it happens. Write it"),
        ("vflip=-0.5", "vflip=-0.5: a flip has one value"),
        ("hflip=0.2..0.7", "hflip=0.2..0.7: a flip has one value"),
        ("scale=1", "scale=1 begins at 0, which leaves no image. Write it as scale=0.1 or"),
        ("zoom=1.2@0.5", "zoom=1.2@0.5 begins at -0.2, which leaves no image"),
        ("brightness=1.5", "brightness=1.5 begins at -0.5, which leaves no image"),
        ("shift-x=a", "augmentation shift-x=a is neither"),
        ("fill=red", "fill of the augmentation 'red' is not one of: nearest, constant"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(CxrtoolError, match=message):
        parse(text)


def test_a_value_may_happen_to_some_images_only() -> None:
    always = drawn(parse("rotate=10,shift=0.1,zoom=0.2"), 2000, 3)
    some = drawn(parse("rotate=10@0.45,shift=0.1@0.2,zoom=0.2"), 2000, 3)
    turned = some["rotate"] != 0
    # Three standard deviations of a share of 2000 images.
    assert turned.float().mean().item() == pytest.approx(0.45, abs=0.034)
    assert torch.equal(some["rotate"][turned], always["rotate"][turned])
    moved = some["shift"] != 0
    assert moved.float().mean().item() == pytest.approx(0.2, abs=0.027)
    assert torch.equal(moved, some["shift_again"] != 0), "both axes, or neither"
    assert torch.equal(some["zoom"], always["zoom"]), "other keys draw what they always drew"
    together = (turned & moved).float().mean().item()
    assert together == pytest.approx(0.09, abs=0.02), "one does not depend on the other"


def test_an_image_that_nothing_happens_to_is_left_as_it_is() -> None:
    values = drawn(parse("scale=1.2..1.4@0.5,brightness=0.5..0.6@0.5"), 64, 1)
    changed = augmented(pictures(64), values)
    still = (values["scale"] == 1) & (values["brightness"] == 1)
    assert 5 < int(still.sum()) < 30
    torch.testing.assert_close(changed[still], pictures(int(still.sum())), atol=0.01, rtol=0)


@pytest.mark.parametrize(
    "text, message",
    [
        ("rotate=10@2", "augmentation rotate=10@2: '2' is not a probability above 0. Write it as"),
        ("rotate=10@", "augmentation rotate=10@: '' is not a probability above 0."),
        ("shift-x=0.1@0", "augmentation shift-x=0.1@0: '0' is not a probability above 0."),
        ("hflip=0.5@0.5", "augmentation hflip=0.5@0.5: the value of a flip is its probability"),
        ("rotate=a@0.5", "augmentation rotate=a@0.5 is neither a number nor LOW..HIGH."),
    ],
)
def test_a_wrong_probability_is_refused(text: str, message: str) -> None:
    with pytest.raises(CxrtoolError) as error:
        parse(text)
    assert str(error.value).startswith(message)
