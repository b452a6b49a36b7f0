"""Planted cues move their group; opacities in lungs move none; odd images give numbers or NaN."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from cxrtool.files import image_facts
from cxrtool.files.image import Encoded
from cxrtool.images import bystanders, processing_traces
from cxrtool.images.bystanders import GROUPS, NAMES, measure, quality
from cxrtool.phantoms import plan, render

Array = NDArray[Any]
Change = Callable[[Array], Array]
COUNT, SIZE = 12, 320

CASES = plan(COUNT, labels=("normal",), sources=1, per_patient=1, seed=5)


def jpeg(image: Array, level: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=level)
    return stream.getvalue()


def decoded(data: bytes) -> Array:
    return np.asarray(Image.open(io.BytesIO(data)))


def group(values: Array, name: str) -> Array:
    return values[..., [NAMES.index(n) for n in GROUPS[name]]]


def clean(size: int = SIZE) -> list[Array]:
    """Phantoms before their hospital marks, resamples or compresses them."""
    return [plain(render(case, 2 * size).image) for case in CASES]


def plain(image: Array) -> Array:
    # Averages of 2 x 2 pixels have no JPEG tiles; the middle has neither border nor marker.
    small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(int(image.sum())).normal(0, 2, small.shape)
    return np.clip(np.rint(small + noise), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def images() -> list[Array]:
    return clean()


@pytest.fixture(scope="module")
def untouched(images: list[Array]) -> Array:
    return np.stack([measure(image) for image in images])


def shift(before: Array, after: Array) -> Array:
    """How far each measurement moves on average, in standard deviations between images."""
    spread = before.std(axis=0)
    step = (after - before).mean(axis=0)
    return np.abs(step / np.where(spread > 0, spread, 1e-3))


def with_marker(image: Array) -> Array:
    image = image.copy()
    cv2.putText(image, "L", (290, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 250, 2, cv2.LINE_AA)
    return image


def with_border(image: Array) -> Array:
    image = image.copy()
    cv2.rectangle(image, (0, 0), (SIZE - 1, SIZE - 1), 0, 19)
    return image


def resampled(image: Array) -> Array:
    small = cv2.resize(image, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape[::-1]))


def brightened(image: Array) -> Array:
    return np.rint(255 * (image / 255) ** 0.7).astype(np.uint8)


CUES: dict[str, tuple[Change, tuple[str, ...]]] = {
    "marker": (with_marker, ("corners", "text")),
    "border": (with_border, ("border",)),
    "resampling": (resampled, ("sharpness",)),
    "jpeg": (lambda image: decoded(jpeg(image, 60)), ("grid",)),
    "gamma": (brightened, ("grey levels",)),
}


@pytest.mark.parametrize("cue", CUES)
def test_a_planted_cue_moves_its_group(cue: str, images: list[Array], untouched: Array) -> None:
    change, groups = CUES[cue]
    moved = shift(untouched, np.stack([measure(change(image)) for image in images]))
    for name in groups:
        assert np.nanmax(group(moved, name)) > 2, name


def test_an_opacity_in_the_lungs_moves_nothing() -> None:
    ill = [replace(case, label="covid") for case in CASES]
    before, after = (
        np.stack([measure(render(case, SIZE).image) for case in cases]) for cases in (CASES, ill)
    )
    assert (before != after).any(), "the opacities reach no pixel that is measured: a vain test"
    known = ~np.isnan(before).any(axis=0)
    assert shift(before[:, known], after[:, known]).max() < 0.2


def test_what_is_in_the_middle_is_not_looked_at(images: list[Array]) -> None:
    image = images[0].copy()
    image[40:-40, 40:-40] = cv2.GaussianBlur(image, (0, 0), 4)[40:-40, 40:-40] // 2
    before, after = measure(images[0]), measure(image)
    seen = [n for n, a, b in zip(NAMES, before, after, strict=True) if abs(a - b) > 0]
    # Lines of the frame are as long as the image, but no more than a tenth of it deep.
    assert seen == []


SHAPES = [(1, 1), (1, 9), (9, 1), (2, 3), (8, 8), (17, 15), (31, 40), (64, 63), (65, 300)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_any_size_and_depth_gives_every_name(shape: tuple[int, int], kind: type) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, np.iinfo(kind).max, shape, endpoint=True).astype(kind)
    for values in (measure(image), measure(np.zeros(shape, kind))):
        assert values.shape == (len(NAMES),)
        assert not np.isinf(values).any()
        assert not np.isnan(group(values, "border")).any()


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_never_infinite_and_the_same_twice(image: Array) -> None:
    before = image.copy()
    values = measure(image)
    assert not np.isinf(values).any()
    np.testing.assert_array_equal(values, measure(image))
    np.testing.assert_array_equal(image, before)


def test_a_constant_image() -> None:
    values = dict(zip(NAMES, measure(np.full((200, 300), 77, np.uint8)), strict=True))
    assert values["border_mean_top"] == values["corner_mean_top_left"] == 77
    assert values["border_sd_left"] == values["text_count"] == values["levels"] == 0
    assert values["border_constant_top"] == bystanders.MOST_BORDER
    assert values["black"] == values["white"] == 1
    assert np.isnan(values["sharp_across"]) and np.isnan(values["comb"])


def test_not_a_number_is_black() -> None:
    image = np.linspace(0, 1, 100 * 100).reshape(100, 100)
    image[:3] = np.nan
    values = dict(zip(NAMES, measure(image), strict=True))  # type: ignore[arg-type]
    assert values["border_black_top"] == 1


@pytest.mark.parametrize("shape", [(5, 5, 3), (5,), (0, 5)])
def test_refuses_what_is_no_grey_image(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="2-D"):
        measure(np.zeros(shape, np.uint8))


def test_sixteen_bits_are_measured_as_eight_but_for_the_levels(images: list[Array]) -> None:
    image = images[0].copy()
    image[0, :2] = 0, 255  # The whole range, so that spreading changes nothing.
    eight, sixteen = measure(image), measure(image.astype(np.uint16) * 257)
    values = dict(zip(NAMES, sixteen, strict=True))
    for name in GROUPS:
        if name != "grey levels":
            np.testing.assert_array_equal(group(eight, name), group(sixteen, name))
    assert values["step"] == np.log2(257)
    assert values["levels"] == dict(zip(NAMES, eight, strict=True))["levels"]


@pytest.mark.parametrize("depth", [1, 4, 9, 40])
@pytest.mark.parametrize("turn", range(4))
def test_the_width_of_a_constant_border(depth: int, turn: int, images: list[Array]) -> None:
    image = images[1].copy()
    image[:] = image // 2 + 30 + np.arange(SIZE)[:, None] % 7 * 9 + np.arange(SIZE) % 5 * 9
    image[:depth] = 200
    values = dict(zip(NAMES, measure(np.rot90(image, turn)), strict=True))
    side = ("top", "left", "bottom", "right")[turn]
    assert values[f"border_constant_{side}"] == depth / SIZE


def test_a_marker_is_found_in_whichever_corner_it_is(images: list[Array]) -> None:
    smooth = cv2.GaussianBlur(images[0], (0, 0), 15)  # The hospital's own marker is gone.
    before = dict(zip(NAMES, measure(smooth), strict=True))
    for turn in range(4):
        turned = np.rot90(smooth, turn)
        after = dict(zip(NAMES, measure(with_marker(turned)), strict=True))
        assert after["corner_stroke_most"] > before["corner_stroke_most"] + 40
        assert after["corner_stroke_most"] == after["corner_stroke_top_right"]
        assert after["corner_stroke_next"] <= before["corner_stroke_most"]


def test_the_grid_is_where_the_tiles_are(images: list[Array]) -> None:
    tiled = decoded(jpeg(images[2], 40))
    at_home, cropped = (processing_traces.grid(i) for i in (tiled, tiled[3:, 5:]))
    for axis in processing_traces.AXES:
        assert at_home[f"blocks_{axis}"] > 2 * abs(cropped[f"blocks_{axis}"])
    assert at_home["quantized"] > 0.15 > abs(cropped["quantized"])
    assert cropped["blocks_shifted"] == pytest.approx(at_home["blocks_shifted"], rel=0.25)


def test_resampling_has_a_rhythm_and_a_cutoff(images: list[Array]) -> None:
    before, after = (processing_traces.sharpness(i) for i in (images[3], resampled(images[3])))
    for axis in processing_traces.AXES:
        assert after[f"cutoff_{axis}"] < before[f"cutoff_{axis}"]
        assert after[f"resampled_{axis}"] > before[f"resampled_{axis}"]
    # Only one axis is blurred.
    blurred = processing_traces.sharpness(cv2.GaussianBlur(images[3], (5, 1), 1.5))
    assert blurred["sharp_across"] < before["sharp_across"] - 1
    assert blurred["sharp_down"] > before["sharp_down"] - 1


def test_levels_by_hand() -> None:
    image = np.repeat(np.array([10, 14, 18, 26, 30], np.uint8), 8)[None].repeat(40, axis=0)
    values = processing_traces.grey_levels(image)
    assert values["levels"] == np.log2(5)
    assert values["step"] == 2
    assert values["gaps"] == pytest.approx(1 / 6)
    assert 0 < values["black"] < 0.5


@pytest.mark.parametrize("level", [1, 10, 49, 50, 60, 75, 90, 95, 100])
def test_the_quality_is_that_of_the_encoder(level: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 50)).astype(np.uint8)
    facts = image_facts.facts(Encoded(jpeg(image, level)))
    assert quality(facts.quantization) == level
    values = dict(zip(NAMES, measure(image, facts), strict=True))
    assert values["quality"] == level
    assert (values["is_jpeg"], values["is_png"], values["bits"]) == (1, 0, 8)


def test_without_a_file_only_the_size_is_known() -> None:
    values = dict(zip(NAMES, measure(np.zeros((32, 64), np.uint8)), strict=True))
    assert (values["width"], values["height"], values["aspect"]) == (6, 5, 1)
    assert np.isnan([values[n] for n in GROUPS["file"][3:]]).all()
    assert np.isnan(quality(()))


def test_the_names_are_unique_and_in_one_group_each() -> None:
    assert len(set(NAMES)) == len(NAMES) == sum(map(len, GROUPS.values()))
