"""Windows of Hounsfield units: what is black, what is white, and which files have units."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import odd
import pytest
from PIL import Image

from cxrtool.files import grey_levels, hounsfield, image
from cxrtool.files.hounsfield import HounsfieldWindow, window_of

LUNG = window_of("lung")
UNITS = np.linspace(-2000, 3000, 64 * 64).round().astype(np.int16).reshape(64, 64)


def expected(units: np.ndarray, center: float, width: float) -> np.ndarray:
    """Write DICOM PS3.3, C.11.2.1.2.1 as it stands there, value after value."""
    result = []
    for x in units.ravel().tolist():
        if x <= center - 0.5 - (width - 1) / 2:
            result.append(0.0)
        elif x > center - 0.5 + (width - 1) / 2:
            result.append(65535.0)
        else:
            result.append(((x - (center - 0.5)) / (width - 1) + 0.5) * 65535)
    return np.array(result).reshape(units.shape)


@pytest.mark.parametrize("name", hounsfield.NAMED)
def test_a_window_is_that_of_the_standard(name: str) -> None:
    window = hounsfield.NAMED[name]
    grey = window.grey(UNITS)
    assert grey.dtype == np.uint16
    np.testing.assert_allclose(grey, expected(UNITS, window.center, window.width), atol=0.51)
    assert (np.diff(grey.ravel().astype(int)) >= 0).all()
    assert (grey.min(), grey.max()) == (0, 65535)


@pytest.mark.parametrize("text", ["lungs", "", "-600", "-600,0", "a,b", "nan,5", "1,inf", "1,2,3"])
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(ValueError):
        window_of(text)


def ct(units: np.ndarray, **fields: object) -> image.Encoded:
    """Write a CT as scanners do: values from 0 on, and their rescale."""
    fields = {"Modality": "CT", "RescaleSlope": "1", "RescaleIntercept": "-2000"} | fields
    return image.Encoded(odd.dicom((units + 2000).astype(np.uint16), 16, **fields), True)


@pytest.mark.parametrize("own", [{}, {"WindowCenter": "40", "WindowWidth": "400"}])
@pytest.mark.parametrize("shift", [0, -500])
def test_a_window_replaces_that_of_a_ct(own: dict[str, str], shift: int) -> None:
    encoded = ct(UNITS, RescaleIntercept=str(shift - 2000), **own)
    picture = image.decode(encoded, LUNG)
    np.testing.assert_allclose(picture.grey, expected(UNITS + shift, -600, 1500), atol=0.51)
    assert picture.is_windowed and "windowed" not in picture.header
    assert not image.decode(encoded).is_windowed


def test_a_radiograph_keeps_its_own_window() -> None:
    encoded = image.Encoded(odd.dicom(Modality="DX"), True)
    picture = image.decode(encoded, LUNG)
    assert not picture.is_windowed
    np.testing.assert_array_equal(picture.grey, image.decode(encoded).grey)


def test_padding_of_a_ct_is_black() -> None:
    units = UNITS.copy()
    units[:8] = 3000
    picture = image.decode(ct(units, PixelPaddingValue=5000), LUNG)
    assert picture.grey[:8].max() == 0
    assert picture.grey[-1, :-1].min() == 65535


def picture(values: np.ndarray, kind: str) -> image.Encoded:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, kind)
    return image.Encoded(stream.getvalue())


def test_pictures_of_16_bits_are_units_above_minus_1024() -> None:
    units = UNITS.clip(-1024, 3000)
    found = image.decode(picture((units + 1024).astype(np.uint16), "PNG"), LUNG)
    assert found.is_windowed
    np.testing.assert_allclose(found.grey, expected(units, -600, 1500), atol=0.51)


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_negative_values_are_units(kind: type) -> None:
    found = image.decode(picture(UNITS.astype(kind), "TIFF"), LUNG)
    assert found.is_windowed
    np.testing.assert_allclose(found.grey, expected(UNITS, -600, 1500), atol=0.51)


@pytest.mark.parametrize(
    "values", [np.arange(256, dtype=np.uint8).reshape(16, 16), np.ones((4, 4), np.float32)]
)
def test_what_has_no_units_stays_as_it_is(values: np.ndarray) -> None:
    encoded = picture(values, "TIFF")
    found = image.decode(encoded, LUNG)
    assert not found.is_windowed
    np.testing.assert_array_equal(found.grey, image.decode(encoded).grey)


def test_eight_bits_mean_the_same_in_every_slice(tmp_path: Path) -> None:
    """A slice without bone is not brighter than one with bone."""
    air, bone = UNITS.clip(-1000, -900), UNITS.clip(-1000, 1000)
    shown = [
        grey_levels.to8(image.decode(ct(units), LUNG).grey, whole_range=True)
        for units in (air, bone)
    ]
    for units, grey in zip((air, bone), shown, strict=True):
        np.testing.assert_allclose(grey, expected(units, -600, 1500) / 257, atol=0.51)
    assert shown[0].max() < 80 and shown[1].max() == 255


def test_a_window_writes_itself() -> None:
    assert str(HounsfieldWindow(-600, 1500)) == "-600,1500"
