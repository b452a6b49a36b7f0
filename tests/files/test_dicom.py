"""DICOM comes out as it is meant to be seen, and nothing that identifies a patient with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import odd
import pydicom
import pytest

from cxrtool.core.errors import Unreadable
from cxrtool.files import dicom, dicom_recognition, image

EXACT = [
    "explicit.dcm",
    "no-ending",
    "implicit.dcm",
    "big-endian.dcm",
    "deflated.dcm",
    "rle.dcm",
    "jpeg-lossless.dcm",
    "jpeg-ls.dcm",
    "j2k.dcm",
    "monochrome1.dcm",
    "rgb12.dcm",
    "window-empty.dcm",
    "window-zero.dcm",
    "window-elsewhere.dcm",
    "frames.dcm",
    "no-preamble.dcm",
    "no-meta.dcm",
    "bare-meta",
    "bare-implicit",
    "bare-explicit",
    "bare-big",
]


def read(tmp_path: Path, name: str, data: bytes) -> image.Picture:
    path = tmp_path / name
    path.write_bytes(data)
    return image.read(path)


@pytest.mark.parametrize("name", odd.DICOMS)
def test_shows_the_ramp(name: str, tmp_path: Path) -> None:
    picture = read(tmp_path, name, odd.DICOMS[name]())
    odd.check_ramp(picture.grey, 0.02 if name == "jpeg.dcm" else 0)
    assert picture.header == {"view": "PA", "sex": "F", "age": "45", "patient": "ZZID007"}


@pytest.mark.parametrize("name", EXACT)
def test_twelve_bits_stay_as_they_are(name: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path, name, odd.DICOMS[name]()).grey, odd.RAMP12)


@pytest.mark.parametrize("name", ["eight.dcm", "rgb.dcm", "ybr.dcm"])
def test_eight_bits_stay_as_they_are(name: str, tmp_path: Path) -> None:
    grey = read(tmp_path, name, odd.DICOMS[name]()).grey
    assert grey.dtype == np.uint8
    np.testing.assert_array_equal(grey, odd.RAMP8)


def test_a_window_spreads_what_is_in_it() -> None:
    grey = image.decode(image.Encoded(odd.dicom(WindowCenter="1000", WindowWidth="500"), True)).grey
    values = odd.RAMP12.astype(float)
    # DICOM PS3.3, C.11.2.1.2.1.
    share = np.clip((values - 999.5) / 499 + 0.5, 0, 1)
    np.testing.assert_allclose(grey, share * 65535, atol=1)


def test_a_window_is_pydicoms() -> None:
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        ds = odd.dataset(odd.RAMP12, 12, VOILUTFunction=function)
        ds.WindowCenter, ds.WindowWidth = "1500", "700"
        ds.RescaleSlope, ds.RescaleIntercept = "2", "-100"
        shown = pydicom.pixels.apply_modality_lut(odd.RAMP12, ds)
        expected = pydicom.pixels.apply_windowing(shown, ds)
        expected = (expected - (-100)) / (2 * 4095) * 65535
        np.testing.assert_allclose(
            image.decode(image.Encoded(odd.written(ds), True)).grey, expected, atol=1
        )


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("window-zero.dcm", "its window is damaged and not applied"),
        ("window-elsewhere.dcm", "its window maps all pixels to one grey level and is not applied"),
        ("frames.dcm", "the first of 2 frames is used"),
        ("window.dcm", ""),
    ],
)
def test_warns(name: str, warning: str, tmp_path: Path) -> None:
    assert read(tmp_path, name, odd.DICOMS[name]()).warning == warning


def test_padding_is_black() -> None:
    grey = image.decode(image.Encoded(odd.padded(), True)).grey
    assert grey[-1].max() == 0
    values = 4095 - odd.RAMP12
    values[-1] = 0  # The brightest of a MONOCHROME1 image.
    inverted = odd.dicom(values, PixelPaddingValue=0, PhotometricInterpretation="MONOCHROME1")
    grey = image.decode(image.Encoded(inverted, True)).grey
    assert grey[-1].max() == grey.min()


@pytest.mark.parametrize("name", [n for n in odd.BROKEN if n.endswith(".dcm")])
def test_refuses(name: str, tmp_path: Path) -> None:
    make, reason = odd.BROKEN[name]
    with pytest.raises(Unreadable) as refused:
        read(tmp_path, name, make())
    assert (refused.value.reason, refused.value.failed) == (reason, True)


@pytest.mark.parametrize("name", odd.LEFT_OUT)
def test_leaves_out_what_is_no_image(name: str, tmp_path: Path) -> None:
    make, reason = odd.LEFT_OUT[name]
    with pytest.raises(Unreadable) as refused:
        read(tmp_path, name, make())
    assert (refused.value.reason, refused.value.failed) == (reason, False)


@pytest.mark.parametrize("options", [{}, {"preamble": False}, {"filler": 4000}])
def test_a_deflated_bomb_is_not_unpacked(
    options: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicom_recognition, "MOST_INFLATED", 9 << 20)
    with pytest.raises(Unreadable, match="unpacks to more than 9 MiB"):
        read(tmp_path, "a.dcm", odd.deflated_bomb(20, **options))


def test_corruption_raises_nothing_else_and_tells_no_name() -> None:
    # What GDCM decodes may kill the process: test_parallel looks at that.
    for name in ("explicit.dcm", "deflated.dcm", "rle.dcm", "voi-lut.dcm", "window.dcm"):
        data = odd.DICOMS[name]()
        for number in range(80):
            try:
                picture = image.decode(image.Encoded(odd.corrupted(data, number), True))
            except (Unreadable, MemoryError) as e:
                assert "zz" not in str(e).lower() and "secret" not in str(e).lower()
            else:
                assert picture.grey.ndim == 2


def test_only_four_fields_leave_the_header() -> None:
    known = dicom.header(odd.dataset(odd.RAMP12, 12))
    assert known == {"view": "PA", "sex": "F", "age": "45", "patient": "ZZID007"}


@pytest.mark.parametrize(
    ("field", "value", "name", "expected"),
    [
        ("ViewPosition", "ap", "view", "AP"),
        ("ViewPosition", "DOE JANE", "view", ""),
        ("ViewPosition", "", "view", ""),
        ("PatientSex", "O", "sex", ""),
        ("PatientSex", "m ", "sex", "M"),
        ("PatientAge", "006M", "age", "0.5"),
        ("PatientAge", "100Y", "age", "100"),
        ("PatientAge", "", "age", ""),
    ],
)
def test_fields_are_cleaned(field: str, value: str, name: str, expected: str) -> None:
    ds = pydicom.Dataset()
    with pydicom.config.disable_value_validation():
        setattr(ds, field, value)
        assert dicom.header(ds)[name] == expected
