"""Heat over pictures: the picture stays to be seen, the line goes where it is said to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from handy import pixels
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from cxrtool.core import choices
from cxrtool.figures import heat_overlay, sheet
from cxrtool.figures.heat_overlay import Style
from cxrtool.files import image

GREY = np.random.default_rng(0).integers(30, 220, (60, 80), np.uint8)


def hill(shape: tuple[int, int] = (60, 80)) -> NDArray[np.float32]:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    far = (rows - shape[0] / 2) ** 2 + (columns - shape[1] / 2) ** 2
    return np.exp(-far / 200).astype(np.float32)


def tint(picture: NDArray[np.uint8], grey: NDArray[np.uint8] = GREY) -> NDArray[np.int64]:
    return np.abs(picture.astype(int) - grey[..., None]).sum(2)


@pytest.mark.parametrize("colormap", choices.EVEN_COLORMAPS)
def test_colour_lies_where_the_heat_is(colormap: str) -> None:
    picture = heat_overlay.overlay(GREY, hill(), Style(colormap, 0))
    assert picture.shape == (60, 80, 3) and picture.dtype == np.uint8
    assert tint(picture)[hill() < 0.001].max() <= 1
    assert tint(picture)[hill() > 0.9].mean() > 60


@pytest.mark.parametrize("colormap", choices.EVEN_COLORMAPS)
def test_more_heat_is_lighter_on_black(colormap: str) -> None:
    """So that who sees no colours, and a print in grey, can read it."""
    black = np.zeros((1, 101), np.uint8)
    picture = heat_overlay.overlay(black, np.linspace(0, 1, 101)[None], Style(colormap, 0))
    light = picture @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(light[0]) >= -1).all() and light[0, -1] > 100


def lightness(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(picture @ np.array([0.2126, 0.7152, 0.0722]), np.float64)


def test_jet_covers_what_is_cold_and_misleads() -> None:
    """It is as in the figures of papers: blue is cold, red hot, and no order of lightness."""
    grey = np.full((1, 101), 128, np.uint8)
    picture = heat_overlay.overlay(grey, np.linspace(0, 1, 101)[None], Style("jet", 0))
    cold, hot = picture[0, 0].astype(int), picture[0, -1].astype(int)
    assert cold[2] > cold[0] + 30 and hot[0] > hot[2] + 30
    assert tint(picture, grey).min() > 20
    steps = np.diff(lightness(picture)[0])
    assert steps.min() < -0.5 and steps.max() > 0.5


def test_both_signs_have_a_colour_each() -> None:
    heat = np.linspace(-1, 0.5, 151, dtype=np.float32)[None]
    grey = np.full(heat.shape, 128, np.uint8)
    picture = heat_overlay.overlay(grey, heat, Style(threshold=0, both=True)).astype(int)
    redness = picture[0, :, 0] - picture[0, :, 2]
    assert redness[0] < -60 and redness[100] == 0 and redness[-1] > 20
    # What is half as strong is covered half as much.
    assert tint(picture, grey)[0, 50] == pytest.approx(tint(picture, grey)[0, 0] / 2, abs=3)
    # The line goes round what speaks for the class, with a share of the hottest of that.
    large = np.full((60, 80), 128, np.uint8)
    signed = np.where(np.arange(80) < 40, hill(), -2 * hill()).astype(np.float32)
    lined = heat_overlay.overlay(large, signed, Style(threshold=0.5, both=True))
    plain = heat_overlay.overlay(large, signed, Style(threshold=0, both=True))
    changed = (lined != plain).any(axis=2)
    assert changed[:, :41].any() and not changed[:, 44:].any()


def test_the_heat_may_have_any_scale_and_is_left_alone() -> None:
    heat = hill()
    heat.flags.writeable = False
    first = heat_overlay.overlay(GREY, heat, Style("inferno", 0.6))
    np.testing.assert_array_equal(
        heat_overlay.overlay(GREY, heat * 1024, Style("inferno", 0.6)), first
    )
    cold = heat_overlay.overlay(GREY, np.where(heat > 0.5, heat, -7), Style("inferno", 0))
    assert tint(cold)[heat < 0.5].max() == 0


@pytest.mark.parametrize("heat", [np.zeros((60, 80)), np.full((60, 80), -1.0)])
def test_without_heat_it_is_the_picture(heat: NDArray[np.float64]) -> None:
    assert not tint(heat_overlay.overlay(GREY, heat, Style("inferno", 0.6))).any()


@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("large", [False, True])
def test_the_line_goes_round_what_has_the_threshold(threshold: float, large: bool) -> None:
    shape = (300, 400) if large else (60, 80)
    grey, heat = np.full(shape, 90, np.uint8), hill(shape)
    plain = heat_overlay.overlay(grey, heat, Style("inferno", 0))
    lined = heat_overlay.overlay(grey, heat, Style("inferno", threshold))
    region = heat >= threshold * heat.max()
    edge = region & ~ndimage.binary_erosion(region)
    changed = (plain != lined).any(axis=2)
    assert changed[edge].mean() > 0.95
    assert not changed[~ndimage.binary_dilation(edge, np.ones((9, 9)))].any()


def printed(folder: Path, number: int, **given: str) -> list[sheet.Print]:
    prints = []
    for n in range(number):
        file = folder / f"{n}.png"
        image.write_png(file, heat_overlay.overlay(GREY, hill(), Style("inferno", 0.6)), "x")
        words = {"label": "normal", "pred": "covid", "of": "covid", "score": "0.9312", "flag": ""}
        prints.append(sheet.Print(str(file), **{**words, **given}))
    return prints


@pytest.mark.parametrize("number", [1, 2, 7, 24])
def test_a_sheet(number: int, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    sheet.write(out, printed(tmp_path, number), "run: gradcam", Style("inferno", 0.6))
    first = out.read_bytes()
    sheet.write(out, printed(tmp_path, number), "run: gradcam", Style("inferno", 0.6))
    assert out.read_bytes() == first
    with Image.open(out) as picture:
        assert picture.width >= 300 and not picture.text
    # The pictures are there in their colours, one beside the other.
    hot = pixels(out)[..., 0].astype(int) - pixels(out)[..., 2] > 60
    pieces = ndimage.binary_opening(hot[:, : -int(120 * sheet.RIGHT)], np.ones((9, 9)))
    assert ndimage.label(pieces)[1] == number


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_a_sheet_for_print(ending: str, tmp_path: Path) -> None:
    out = tmp_path / f"sheet.{ending}"
    sheet.write(out, printed(tmp_path, 2), "run: gradcam", Style("inferno", 0.6))
    first = out.read_bytes()
    sheet.write(out, printed(tmp_path, 2), "run: gradcam", Style("inferno", 0.6))
    assert out.read_bytes() == first and len(first) > 1000


def test_a_verdict_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.axes import Axes

    told: list[str] = []
    monkeypatch.setattr(Axes, "annotate", lambda self, text, *_, **__: told.append(text))
    prints = [
        *printed(tmp_path, 1),
        *printed(tmp_path, 1, label="covid", flag="empty map"),
        *printed(tmp_path, 1, label="", score=""),
    ]
    sheet.write(tmp_path / "s.png", prints, "t", Style("cividis", 0))
    assert told == [
        "true: normal",
        "pred.: covid (wrong)",
        "p(covid) = 0.931",
        "true: covid",
        "pred.: covid (right)",
        "p(covid) = 0.931",
        "empty map",
        "no label",
        "pred.: covid",
        "p(covid) = undefined",
    ]


@pytest.mark.parametrize("name", ["$x_1$ & $", "a\nb\tc", "漢字", "x" * 300, "\udcff", "\\frac{"])
def test_any_name_can_be_drawn(name: str, tmp_path: Path) -> None:
    prints = printed(tmp_path, 1, label=name, pred=name, of=name, flag=name)
    sheet.write(tmp_path / "s.png", prints, f"{name}: cam", Style("viridis", 0.6))
    with Image.open(tmp_path / "s.png") as picture:
        assert picture.width < 1000


def test_columns_beside_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that an earlier table does not have leaves its place empty."""
    from matplotlib.figure import Figure

    told: list[str] = []
    write = Figure.text
    monkeypatch.setattr(
        Figure, "text", lambda self, x, y, s, **how: told.append(s) or write(self, x, y, s, **how)
    )
    one, two, three = printed(tmp_path, 3)
    out = tmp_path / "s.png"
    sheet.write(out, [one, two, None, three], "run: gradcam", Style(), ["before", "after"])
    assert told == ["before", "after", "run: gradcam"]
    hot = pixels(out)[..., 0].astype(int) - pixels(out)[..., 2] > 60
    pieces = ndimage.binary_opening(hot[:, : -int(120 * sheet.RIGHT)], np.ones((9, 9)))
    labels, number = ndimage.label(pieces)
    assert number == 3
    middle = pieces.shape[1] / 2
    sides = [centre[1] < middle for centre in ndimage.center_of_mass(pieces, labels, [1, 2, 3])]
    assert sum(sides) == 1, "the second row has no picture on the left"
