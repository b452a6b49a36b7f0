"""A folder of odd files: what a hospital export, a web crawl or an enemy puts in front of a reader.

`PICTURES` and `DICOMS` are files that must be read, `BROKEN` are files that must be refused; each
is a function that returns the bytes, so that a test pays only for what it uses. Every readable one
shows `RAMP`: grey levels that rise from left to right in the upper half, and are black in the lower
half but for its right end, so that a turn, a flip, an inversion or a clipped range shows.
"""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

HEIGHT, WIDTH = 24, 48

# What must never leave a DICOM header.
SECRETS = {
    "PatientName": "Zzname^Secret",
    "PatientID": "ZZID007",
    "PatientBirthDate": "19010203",
    "AccessionNumber": "ZZACC1",
    "InstitutionName": "Zzhospital",
    "StudyDescription": "Zzdescription",
    "PatientComments": "Zzcomment",
    "ReferringPhysicianName": "Zzdoctor",
    "StudyDate": "20190304",
}

Make = Callable[[], bytes]


def ramp(levels: int) -> NDArray[np.float64]:
    """Rise from 0 to levels - 1 along the upper half; its brightest level below, at the right."""
    image = np.zeros((HEIGHT, WIDTH))
    image[: HEIGHT // 2] = np.round(np.linspace(0, levels - 1, WIDTH))
    image[HEIGHT // 2 :, -4:] = levels - 1
    return image


RAMP8 = ramp(256).astype(np.uint8)
RAMP12 = ramp(4096).astype(np.uint16)
RAMP16 = ramp(65536).astype(np.uint16)


def check_ramp(grey: NDArray[Any], slack: float = 0) -> None:
    """Check that the ramp is there: order, range and turn."""
    assert grey.shape == (HEIGHT, WIDTH)
    levels = grey[3].astype(float)
    whole = float(grey.max()) - float(grey.min())
    assert (np.diff(levels) >= -slack * whole).all(), "the order of the grey levels"
    assert levels[-1] - levels[0] >= 0.95 * whole > 0, "the range"
    assert len(np.unique(levels)) >= 20, "the depth"
    assert grey[20, :40].max() <= grey.min() + (slack + 0.001) * whole, "the lower half is dark"


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def grey(mode: str = "L") -> Image.Image:
    """Return the ramp in one of Pillow's modes of 8 bits a channel."""
    image = Image.fromarray(RAMP8)
    if mode == "PA":
        return image.convert("P").convert("PA")
    if mode == "CMYK":
        return image.convert("RGB").convert("CMYK")
    return image.convert("RGB").convert(mode) if mode in ("YCbCr", "LAB") else image.convert(mode)


# --- PNG and TIFF by hand, for what no library writes ---------------------------------------------


def chunk(kind: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def png(samples: NDArray[Any], colour: int, interlaced: bool = False, level: int = 6) -> bytes:
    """Write (height, width, channels) samples of 8 or 16 bits as PNG."""
    height, width = samples.shape[:2]
    bits = samples.dtype.itemsize * 8
    big = samples.astype(samples.dtype.newbyteorder(">"))
    rows = b""
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [
            (0, 0, 8, 8),
            (0, 4, 8, 8),
            (4, 0, 8, 4),
            (0, 2, 4, 4),
            (2, 0, 4, 2),
            (0, 1, 2, 2),
            (1, 0, 2, 1),
        ]
    for top, left, down, right in passes:
        part = big[top::down, left::right]
        if part.size:
            rows += b"".join(b"\0" + row.tobytes() for row in part)
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows, level))
        + chunk(b"IEND", b"")
    )


def png_claiming(width: int, height: int) -> bytes:
    """Claim a size, and hold next to nothing."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def png_bomb(side: int = 9900) -> bytes:
    """Unpack to side x side x 8 bytes (four channels of 16 bits) out of a few MB."""
    head = struct.pack(">IIBBBBB", side, side, 16, 6, 0, 0, 0)
    packer = zlib.compressobj(1)
    row = b"\0" * (8 * side + 1)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def tiff(samples: NDArray[Any], white_is_zero: bool = False, big: bool = False) -> bytes:
    """Write one strip of grey samples as TIFF: unsigned, signed or floating point."""
    order = ">" if big else "<"
    data = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    kind = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    height, width = samples.shape
    fields = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, samples.dtype.itemsize * 8),
        (259, 3, 1),
        (262, 3, 0 if white_is_zero else 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, len(data)),
        (339, 3, kind),
    ]
    entries = b""
    for tag, form, value in fields:
        cell = struct.pack(order + "HH", value, 0) if form == 3 else struct.pack(order + "I", value)
        entries += struct.pack(order + "HHI", tag, form, 1) + cell
    start = struct.pack(order + "HI", 42, 8 + len(data))
    head = (b"MM" if big else b"II") + start + data
    return head + struct.pack(order + "H", len(fields)) + entries + struct.pack(order + "I", 0)


def tiff_claiming(width: int, height: int) -> bytes:
    image = tiff(RAMP8)
    size = struct.pack("<I", WIDTH), struct.pack("<I", HEIGHT)
    for tag, old, new in ((256, size[0], width), (257, size[1], height)):
        field = struct.pack("<HHI", tag, 4, 1)
        image = image.replace(field + old, field + struct.pack("<I", new))
    return image


def turned(orientation: int, form: str) -> bytes:
    """Store the ramp so that the EXIF tag brings it back upright."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that undoes the tag's turn
    image = Image.fromarray(RAMP8)
    if orientation in back:
        image = image.transpose(Image.Transpose(back[orientation]))
    options = {"quality": 100} if form == "JPEG" else {}
    return saved(image, form, exif=exif.tobytes(), **options)


def frames(form: str, **options: Any) -> bytes:
    """Show the ramp first and black after it."""
    first, later = grey("RGB"), Image.new("RGB", (WIDTH, HEIGHT))
    return saved(first, form, save_all=True, append_images=[later, later], **options)


def spoilt_floats() -> bytes:
    image = ramp(256).astype(np.float32) / 255
    image[-1, 0], image[-1, 1], image[-1, 2] = np.nan, np.inf, -np.inf
    return tiff(image)


def rgb16(levels: NDArray[Any]) -> NDArray[Any]:
    return np.repeat(levels[..., None], 3, axis=2)


def with_alpha(levels: NDArray[Any]) -> NDArray[Any]:
    return np.stack([levels, np.full_like(levels, np.iinfo(levels.dtype).max)], axis=2)


# Each shows the ramp, upright, dark to light.
PICTURES: dict[str, Make] = {
    "l.png": lambda: saved(grey(), "PNG"),
    "la.png": lambda: saved(grey("LA"), "PNG"),
    "p.png": lambda: saved(grey("P"), "PNG"),
    "p-transparent.png": lambda: saved(grey("P"), "PNG", transparency=b"\xff" * 255),
    "rgb.png": lambda: saved(grey("RGB"), "PNG"),
    "rgba.png": lambda: saved(grey("RGBA"), "PNG"),
    "i16.png": lambda: saved(Image.fromarray(RAMP16), "PNG"),
    "i12.png": lambda: saved(Image.fromarray(RAMP12), "PNG"),
    "rgb16.png": lambda: png(rgb16(RAMP16), 2),
    "rgb12.png": lambda: png(rgb16(RAMP12), 2),
    "la16.png": lambda: png(with_alpha(RAMP12), 4),
    "interlaced.png": lambda: png(RAMP8[..., None], 0, interlaced=True),
    "interlaced16.png": lambda: png(RAMP16[..., None], 0, interlaced=True),
    "apng.png": lambda: frames("PNG"),
    "l.tif": lambda: saved(grey(), "TIFF"),
    "pa.tif": lambda: saved(grey("PA"), "TIFF"),
    "lab.tif": lambda: saved(grey("LAB"), "TIFF"),
    "ycbcr.tif": lambda: saved(grey("YCbCr"), "TIFF"),
    "cmyk.tif": lambda: saved(grey("CMYK"), "TIFF"),
    "lzw.tif": lambda: saved(grey(), "TIFF", compression="tiff_lzw"),
    "pages.tif": lambda: frames("TIFF"),
    "i16.tif": lambda: tiff(RAMP16),
    "i16b.tif": lambda: tiff(RAMP16, big=True),
    "i12.tif": lambda: tiff(RAMP12),
    "signed16.tif": lambda: tiff((RAMP16.astype(np.int32) - 32768).astype(np.int16)),
    "i32.tif": lambda: tiff(RAMP16.astype(np.int32)),
    "i32-wide.tif": lambda: tiff(RAMP16.astype(np.int32) * 30000 - 5),
    "float.tif": lambda: tiff(ramp(65536).astype(np.float32) / 65535),
    "float-nan.tif": spoilt_floats,
    "white0-8.tif": lambda: tiff(255 - RAMP8, white_is_zero=True),
    "white0-16.tif": lambda: tiff(65535 - RAMP16, white_is_zero=True),
    "white0-float.tif": lambda: tiff(1 - ramp(256).astype(np.float32) / 255, white_is_zero=True),
    "l.jpg": lambda: saved(grey(), "JPEG", quality=95),
    "rgb.jpg": lambda: saved(grey("RGB"), "JPEG", quality=95),
    "cmyk.jpg": lambda: saved(grey("CMYK"), "JPEG", quality=95),
    "progressive.jpg": lambda: saved(grey(), "JPEG", quality=95, progressive=True),
    "mpo.jpg": lambda: frames("MPO", quality=95),
    "l.jp2": lambda: saved(grey(), "JPEG2000"),
    "i16.jp2": lambda: saved(Image.fromarray(RAMP16), "JPEG2000"),
    "l.bmp": lambda: saved(grey(), "BMP"),
    "l.gif": lambda: saved(grey(), "GIF"),
    "animated.gif": lambda: frames("GIF"),
    "l.webp": lambda: saved(grey("RGB"), "WEBP", lossless=True),
    "animated.webp": lambda: frames("WEBP", lossless=True),
    "l.pgm": lambda: saved(grey(), "PPM"),
    "i16.pgm": lambda: saved(Image.fromarray(RAMP16.astype(np.int32)), "PPM"),
    "png-named.jpg": lambda: saved(grey(), "PNG"),
    "png-named.dcm": lambda: saved(grey(), "PNG"),
    **{
        f"exif{turn}.{form.lower()}": functools.partial(turned, turn, form)
        for turn in range(1, 9)
        for form in ("PNG", "JPEG", "TIFF")
    },
}


# --- DICOM ----------------------------------------------------------------------------------------


def dataset(values: NDArray[Any], bits: int, **fields: Any) -> Dataset:
    """Make a digital radiograph with a header full of secrets."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = uid.DigitalXRayImageStorageForPresentation
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    ds.SOPClassUID, ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPClassUID, "1.2.3.4"
    ds.Modality, ds.ViewPosition, ds.PatientSex, ds.PatientAge = "DX", "PA", "F", "045Y"
    for name, value in SECRETS.items():
        setattr(ds, name, value)
    ds.Rows, ds.Columns = values.shape[-2:] if values.ndim == 2 else values.shape[:2]
    ds.SamplesPerPixel = 3 if values.shape[-1] == 3 else 1
    ds.PhotometricInterpretation = "RGB" if ds.SamplesPerPixel == 3 else "MONOCHROME2"
    if ds.SamplesPerPixel == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = values.dtype.itemsize * 8
    ds.BitsStored, ds.HighBit = bits, bits - 1
    ds.PixelRepresentation = int(values.dtype.kind == "i")
    ds.PixelData = values.tobytes() + b"\0" * (values.nbytes % 2)
    for name, value in fields.items():
        setattr(ds, name, value)
    return ds


def written(ds: Dataset, **options: Any) -> bytes:
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, ds, **{"enforce_file_format": True, **options})
    return stream.getvalue()


def dicom(values: NDArray[Any] = RAMP12, bits: int = 12, **fields: Any) -> bytes:
    return written(dataset(values, bits, **fields))


def in_syntax(syntax: str, values: NDArray[Any] = RAMP12, bits: int = 12) -> bytes:
    """Write uncompressed, deflated or big-endian."""
    ds = dataset(values, bits)
    ds.file_meta.TransferSyntaxUID = syntax
    if syntax == uid.ExplicitVRBigEndian:
        ds.PixelData = values.astype(values.dtype.newbyteorder(">")).tobytes()
        ds["PixelData"].VR = "OW"
    return written(ds)


def by_gdcm(kind: str, values: NDArray[Any] = RAMP12, bits: int = 12) -> bytes:
    """Compress by GDCM, which writes what pydicom does not."""
    import tempfile

    import gdcm

    with tempfile.TemporaryDirectory() as folder:
        before, after = f"{folder}/a.dcm", f"{folder}/b.dcm"
        Path(before).write_bytes(dicom(values, bits))
        reader = gdcm.ImageReader()
        reader.SetFileName(before)
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, kind)))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(after)
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return Path(after).read_bytes()


def compressed(syntax: str, values: NDArray[Any] = RAMP12, bits: int = 12) -> bytes:
    ds = dataset(values, bits)
    ds.compress(syntax, values, generate_instance_uid=False)
    return written(ds)


def voi_lut() -> bytes:
    """Show the ramp through a table that squares it: the order stays."""
    ds = dataset(RAMP12, 12)
    item = Dataset()
    item.LUTDescriptor = [4096, 0, 16]
    table = np.linspace(0, 1, 4096) ** 2 * 65535
    item.add_new(0x00283006, "OW", table.astype(np.uint16).tobytes())
    ds.VOILUTSequence = [item]
    return written(ds)


def palette() -> bytes:
    ds = dataset(RAMP8, 8, PhotometricInterpretation="PALETTE COLOR")
    table = (np.arange(256, dtype=np.uint16) * 257).tobytes()
    for colour in ("Red", "Green", "Blue"):
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(ds, f"{colour}PaletteColorLookupTableData", table)
    return written(ds)


def ybr() -> bytes:
    values = np.stack([RAMP8, np.full_like(RAMP8, 128), np.full_like(RAMP8, 128)], axis=2)
    return dicom(values, 8, PhotometricInterpretation="YBR_FULL")


def padded() -> bytes:
    """Frame the ramp with a padding value that is brighter than anything, and no tissue."""
    values = RAMP12.astype(np.int16)
    values[-1] = 32000
    return dicom(values, 16, PixelPaddingValue=32000)


def bare(meta: bool, implicit: bool = True, little: bool = True) -> bytes:
    """Leave the preamble out, and the file meta too."""
    ds = dataset(RAMP12, 12)
    if not meta:
        ds.file_meta = FileMetaDataset()
    if not little:
        ds.PixelData = RAMP12.astype(RAMP12.dtype.newbyteorder(">")).tobytes()
        ds["PixelData"].VR = "OW"
    stream = io.BytesIO()
    options = {} if meta else {"implicit_vr": implicit, "little_endian": little}
    pydicom.dcmwrite(stream, ds, enforce_file_format=False, **options)
    return stream.getvalue()


def many_frames() -> bytes:
    values = np.stack([RAMP12, np.zeros_like(RAMP12)])
    ds = dataset(RAMP12, 12, NumberOfFrames=2)
    ds.PixelData = values.tobytes()
    return written(ds)


DICOMS: dict[str, Make] = {
    "explicit.dcm": dicom,
    "no-ending": dicom,
    "implicit.dcm": lambda: in_syntax(uid.ImplicitVRLittleEndian),
    "big-endian.dcm": lambda: in_syntax(uid.ExplicitVRBigEndian),
    "deflated.dcm": lambda: in_syntax(uid.DeflatedExplicitVRLittleEndian),
    "rle.dcm": lambda: compressed(uid.RLELossless),
    "jpeg.dcm": lambda: by_gdcm("JPEGBaselineProcess1", RAMP8, 8),
    "jpeg-lossless.dcm": lambda: by_gdcm("JPEGLosslessProcess14_1"),
    "jpeg-ls.dcm": lambda: by_gdcm("JPEGLSLossless"),
    "j2k.dcm": lambda: by_gdcm("JPEG2000Lossless"),
    "eight.dcm": lambda: dicom(RAMP8, 8),
    "sixteen.dcm": lambda: dicom(RAMP16, 16),
    "signed.dcm": lambda: dicom((RAMP12.astype(np.int32) - 2048).astype(np.int16), 16),
    "monochrome1.dcm": lambda: dicom(4095 - RAMP12, PhotometricInterpretation="MONOCHROME1"),
    "rgb.dcm": lambda: dicom(rgb16(RAMP8), 8),
    "rgb12.dcm": lambda: dicom(rgb16(RAMP12), 12),
    "ybr.dcm": ybr,
    "palette.dcm": palette,
    "rescaled.dcm": lambda: dicom(RescaleSlope="0.5", RescaleIntercept="-1024"),
    "negative-slope.dcm": lambda: dicom(4095 - RAMP12, RescaleSlope="-1", RescaleIntercept="4095"),
    "negative-window.dcm": lambda: dicom(
        4095 - RAMP12,
        RescaleSlope="-1",
        RescaleIntercept="4095",
        WindowCenter="2048",
        WindowWidth="4096",
    ),
    "sigmoid.dcm": lambda: dicom(VOILUTFunction="SIGMOID", WindowCenter="2048", WindowWidth="1024"),
    "window.dcm": lambda: dicom(WindowCenter="2048", WindowWidth="4096"),
    "windows.dcm": lambda: dicom(WindowCenter=["2048", "9"], WindowWidth=["4096", "1"]),
    "window-zero.dcm": lambda: dicom(WindowCenter="2048", WindowWidth="0"),
    "window-empty.dcm": lambda: dicom(WindowCenter="", WindowWidth=""),
    "window-elsewhere.dcm": lambda: dicom(WindowCenter="-30000", WindowWidth="10"),
    "voi-lut.dcm": voi_lut,
    "padding.dcm": padded,
    "frames.dcm": many_frames,
    "no-preamble.dcm": lambda: bare(meta=True),
    "no-meta.dcm": lambda: bare(meta=False),
    # Nothing but its first elements tells what such a file is.
    "bare-meta": lambda: bare(meta=True),
    "bare-implicit": lambda: bare(meta=False),
    "bare-explicit": lambda: bare(meta=False, implicit=False),
    "bare-big": lambda: bare(meta=False, implicit=False, little=False),
}


def without_pixels(**fields: Any) -> bytes:
    ds = dataset(RAMP12, 12, **fields)
    del ds.PixelData
    return written(ds)


def dicomdir() -> bytes:
    ds = dataset(RAMP12, 12)
    del ds.PixelData
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    return written(ds)


def deflated_bomb(mebibytes: int = 800, preamble: bool = True, filler: int = 0) -> bytes:
    """Hold hundreds of MiB of zeros in a few hundred kB; `filler` bytes lengthen the file meta."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = uid.DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    if filler:
        meta.FileMetaInformationVersion = b"\0" * filler
    stream = io.BytesIO()
    pydicom.filewriter.write_file_meta_info(stream, meta, enforce_standard=True)
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    # One element of unknown use, as long as all of it.
    head = struct.pack("<HH2sHI", 0x0009, 0x1001, b"OB", 0, mebibytes << 20)
    body = packer.compress(head)
    block = b"\0" * (1 << 20)
    body += b"".join(packer.compress(block) for _ in range(mebibytes)) + packer.flush()
    return (b"\0" * 128 + b"DICM" if preamble else b"") + stream.getvalue() + body


def corrupted(data: bytes, number: int) -> bytes:
    """Flip a few bytes, or cut the file, as `number` says."""
    random = np.random.default_rng(number)
    if number % 4 == 0:
        return data[: int(random.integers(1, len(data)))]
    spoilt = bytearray(data)
    for at in random.integers(0, len(data), 1 + number % 5):
        spoilt[at] ^= int(random.integers(1, 256))
    return bytes(spoilt)


def flipped() -> bytes:
    """Spoil the checksum of the pixels, which Pillow does not look at."""
    image = bytearray(png(RAMP8[..., None], 0))
    end = image.index(b"IEND") - 4
    image[end - 1] ^= 1
    return bytes(image)


# Names that a file may have, each in a way of its own that a table or a terminal could trip over.
NAMES = [
    "new\nline.png",
    "com,ma.png",
    'quo"te.png',
    "-dash.png",
    "=eq.png",
    "ü.png",
    "tab\t.png",
    "\x1b[31mred.png",
    "Case.png",
    "case.png",
    "x" * 251 + ".png",
]

# What is left out by rule, and is no failure.
LEFT_OUT: dict[str, tuple[Make, str]] = {
    "report.dcm": (
        lambda: without_pixels(Modality="SR"),
        "a DICOM document (SR), not an image",
    ),
    "DICOMDIR": (dicomdir, "a DICOMDIR index, not an image"),
}

# Each must be refused with one line; `None` where the wording is a library's.
BROKEN: dict[str, tuple[Make, str | None]] = {
    "empty.png": (lambda: b"", "the file is empty"),
    "text.png": (lambda: b"this is no image\n", "not an image in a known format"),
    "half.png": (
        lambda: saved(grey(), "PNG")[:60],
        "damaged or not supported (image file is truncated)",
    ),
    "endless.png": (lambda: saved(grey(), "PNG")[:-12], "truncated: its end is missing"),
    "half.jpg": (lambda: saved(grey(), "JPEG")[:-200], None),
    "half.tif": (lambda: saved(grey(), "TIFF")[:-40], None),
    "flipped.png": (flipped, "damaged: the checksum of its IDAT chunk is wrong"),
    "huge.png": (
        lambda: png_claiming(0x7FFFFFFF, 0x7FFFFFFF),
        "2147483647 x 2147483647 pixels, more than any radiograph has",
    ),
    "huge.tif": (
        lambda: tiff_claiming(90000, 90000),
        "90000 x 90000 pixels, more than any radiograph has",
    ),
    "lying.png": (lambda: png_claiming(9000, 9000), None),
    "half.dcm": (
        lambda: dicom()[:-100],
        "its pixels are cut short (Explicit VR Little Endian)",
    ),
    "text.dcm": (lambda: b"this is no image\n", "not a DICOM file"),
    "pixelless.dcm": (without_pixels, "DICOM without pixel data (DX)"),
    "nameless.dcm": (lambda: without_pixels(Modality="ZZDOE"), "DICOM without pixel data"),
    "wide.dcm": (
        lambda: dicom(Rows=65535, Columns=65535),
        "65535 x 65535 pixels, more than any radiograph has",
    ),
    "no-size.dcm": (lambda: dicom(Rows=0), "it has no pixels"),
    "jpeg12.dcm": (
        lambda: by_gdcm("JPEGExtendedProcess2_4"),
        "its pixels cannot be decoded (JPEG Extended (Process 2 and 4))",
    ),
}
