"""Draw synthetic chest radiographs whose truth is known (numbers -> images and masks).

A phantom is the sum of what weakens the beam (tissue, bone, heart, less the air of the lungs), put
through a film curve: shadows then overlap as they do on a radiograph. Lengths are in body units: an
image is about 2 wide and high, x goes to its right and y down from the chest's centre. Coordinates
are fitted by eye to real radiographs, masks to the human outlines of Cohen's collection.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Numbers = dict[str, float]

LABELS = ("normal", "pneumonia", "covid")
VIEWS = {"PA": 0.55, "AP": 0.3, "AP Supine": 0.15}  # how often each view is taken
BEDSIDE = {"PA": 0.0, "AP": 0.6, "AP Supine": 1.0}  # how shallow, askew and near the view is
AGES = (18, 90)  # years, both ends included
MASK_BEHIND_HEART = True  # the human outlines run along the spine, over the lung behind the heart
VISIBLE = 0.045  # the least added attenuation that counts as lesion
NOISE = 0.00026  # of the detector
AIR = 0.74  # what a lung's full depth takes from the attenuation
FILM = (4.2, 0.6)  # slope and centre of the film curve
APEX = -0.66  # y of the lungs' tops
TWIGS = (0.019, 0.011, 0.006)  # width of the vessels, from trunk to twig
SIDES = np.array([[[-1.0, 1.0]], [[1.0, 1.0]]])  # mirrors a curve to both sides
WALL = slice(16, 57)  # the part of a lung's outline that runs along the chest wall
STREAMS = ("plan", "anatomy", "pose", "disease", "source", "noise")  # one generator each

# Points of the curves that patients share, but for stretching and shifting. The lung's are x from
# the midline and y from apex to floor; the paired ones are those of the image's right side.
POINTS = {
    "wall": [[0.14, 0.09], [0.18, 0.025], [0.27, 0], [0.4, 0.055], [0.52, 0.18], [0.62, 0.43],
             [0.67, 0.75], [0.7, 1.11]],
    "dome": [[0.7, 1.11], [0.61, 1.02], [0.48, 0.965], [0.34, 0.95], [0.22, 0.97], [0.11, 1.02]],
    "inner": [[0.11, 1.02], [0.095, 0.8], [0.1, 0.5], [0.12, 0.25], [0.14, 0.09]],
    "heart": [[-0.09, -0.2], [-0.14, -0.04], [-0.18, 0.14], [-0.15, 0.34], [0.1, 0.55],
              [0.4, 0.46], [0.43, 0.3], [0.37, 0.12], [0.26, -0.06], [0.17, -0.17], [0.1, -0.25]],
    "mediastinum": [[-0.05, -0.85], [-0.12, -0.5], [-0.1, -0.3], [-0.08, 0.5], [-0.08, 1.5],
                    [0.08, 1.5], [0.08, 0.5], [0.1, -0.2], [0.12, -0.5], [0.05, -0.85]],
    "knob": [[0.05, -0.42], [0.12, -0.43], [0.19, -0.36], [0.18, -0.28], [0.09, -0.24],
             [0.05, -0.3]],
    "airway": [[-0.037, -1.3], [-0.037, -0.6], [-0.037, -0.33], [-0.09, -0.23], [-0.18, -0.13],
               [-0.17, -0.08], [-0.06, -0.18], [0, -0.235], [0.07, -0.175], [0.2, -0.09],
               [0.21, -0.13], [0.1, -0.23], [0.037, -0.33], [0.037, -0.6], [0.037, -1.3]],
    "scapula": [[0.72, -0.5], [0.6, -0.45], [0.58, -0.2], [0.66, 0.04], [0.72, -0.1],
                [0.78, -0.4], [0.72, -0.5]],
    "clavicle": [[0.06, -0.47], [0.16, -0.5], [0.3, -0.52], [0.47, -0.57], [0.62, -0.6],
                 [0.8, -0.6]],
    "humerus": [[0.9, -0.52], [0.97, -0.2], [1.02, 0.5]],
    "arm": [[0.86, -0.6], [1.0, -0.2], [1.06, 0.5]],
    "trunk": [[0.22, -1.4], [0.23, -0.95], [0.36, -0.82], [0.72, -0.72], [0.97, -0.56],
              [1.02, -0.3], [0.84, -0.12], [0.78, 0.2], [0.8, 0.6], [0.83, 1.4]],
    "vertebra": [[-1, 0], [-0.86, 0.05], [-1, 0.1], [1, 0.1], [0.86, 0.05], [1, 0], [-1, 0]],
}  # fmt: skip

# What differs between patients and stays with a patient, as ranges of uniform draws.
ANATOMY = {
    "width": (0.92, 1.08),  # of the chest
    "height": (0.94, 1.08),  # of the lungs
    "fat": (0.0, 1.0),  # widens and thickens the trunk
    "heart": (0.86, 1.14),  # its width
    "knob": (0.85, 1.1),  # of the aorta
    "lean": (-0.03, 0.03),  # of the spine
    "uneven": (-0.04, 0.04),  # one lung against the other
    "dome": (0.02, 0.08),  # how much higher the right diaphragm stands
    "ribs": (0.112, 0.128),  # distance between two
    "bone": (0.6, 1.15),  # density
    "vessels": (0.18, 0.31),
    "shoulder": (-0.06, 0.06),  # rise
    "bubble": (-0.5, 1.0),  # air in the stomach; none below 0
    "breast": (0.0, 1.0),  # drawn for all, used for F
}
# What differs between two images of one patient.
POSE = {
    "turn": (-4.0, 4.0),  # degrees
    "scale": (1.04, 1.24),
    "right": (-0.05, 0.05),
    "down": (-0.04, 0.07),
    "breath": (0.92, 1.04),  # depth of inspiration
    "oblique": (-0.035, 0.035),  # shift of the midline when the patient stands askew
    "dose": (-0.05, 0.05),
}


@dataclass(frozen=True)
class Case:
    """Everything that a phantom is made from: a row of the manifest."""

    index: int
    patient: str
    label: str
    source: str
    view: str
    age: str
    sex: str
    seed: int


class Phantom(NamedTuple):
    """An image and its truth, all uint8 of the same shape; the masks hold 0 and 255."""

    image: Array
    mask: Array
    lesion: Array


class Body(NamedTuple):
    """A patient in one pose: the numbers drawn, and the map from body units to pixels."""

    numbers: Numbers
    to_pixels: Array
    size: int

    def place(self, points: Any) -> Array:
        """Turn body units into pixels."""
        points = np.asarray(points, np.float64)
        flat = points.reshape(-1, 2) @ self.to_pixels[:, :2].T + self.to_pixels[:, 2]
        return np.asarray(flat.reshape(points.shape))

    def length(self, units: float) -> float:
        """Turn a length in body units into pixels."""
        return units * self.size / 2

    def ellipse(self, x: float, y: float, rx: float, ry: float, coarse: int) -> Any:
        """Return an ellipse as OpenCV draws it on a canvas `coarse` times smaller."""
        centre = self.place([x, y]) / coarse
        axes = (2 * self.length(rx) / coarse, 2 * self.length(ry) / coarse)
        return centre.tolist(), axes, self.numbers["turn"]

    def middle(self, y: Array) -> Array:
        """Return x of the midline at height y: it leans, and shifts when the patient turns."""
        return np.asarray(self.numbers["lean"] * np.sin(2.5 * y) + self.numbers["oblique"])


def plan(
    count: int,
    *,
    labels: Sequence[str] = LABELS,
    sources: int = 3,
    confound: float = 0.0,
    per_patient: int | range = range(1, 4),
    seed: int = 0,
) -> list[Case]:
    """Plan `count` images of patients with balanced labels.

    With probability `confound` a patient comes from the hospital of the class (class k from
    hospital k modulo `sources`), else from any of them, all alike.
    """
    images = range(per_patient, per_patient + 1) if isinstance(per_patient, int) else per_patient
    if unknown := sorted(set(labels) - set(LABELS)):
        raise ValueError(f"labels {', '.join(unknown)} are not among {', '.join(LABELS)}")
    if count < 0 or min(sources, len(labels), len(images), min(images, default=0)) < 1:
        raise ValueError("count must be 0 or more; labels, sources, images a patient 1 or more")
    if not 0 <= confound <= 1:
        raise ValueError(f"confound {confound} is not between 0 and 1")
    # A generator a column: another confound then changes the sources and nothing else.
    who, where, how, when = (_generator(seed, "plan", column) for column in range(4))
    cases: list[Case] = []
    for number, (label, taken) in enumerate(_patients(count, len(labels), images, who), start=1):
        own, anywhere = where.random() < confound, int(where.integers(sources))
        source = f"hospital-{(label % sources if own else anywhere) + 1}"
        age, sex = str(when.integers(AGES[0], AGES[1] + 1)), str(when.choice(["M", "F"]))
        for _ in range(taken):
            view = str(how.choice(list(VIEWS), p=list(VIEWS.values())))
            patient = f"p{number:05d}"
            cases.append(Case(len(cases), patient, labels[label], source, view, age, sex, seed))
    return cases


def render(case: Case, size: int = 256) -> Phantom:
    """Draw a case as `size` x `size` pixels; the bytes depend on nothing but the case."""
    if size < 16:
        raise ValueError(f"size {size} is under 16 pixels")
    body, mask, lesion = _beam(case, size)
    rays = _expose(body, _generator(case.seed, "noise", case.patient, case.index))
    rng = _generator(case.seed, "source", case.patient, case.index)
    return Phantom(_develop(rays, _signature(case.source), rng), mask, lesion)


def _patients(
    count: int, labels: int, images: range, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Return (label, images) a patient, in random order, so that ids tell nothing of labels."""
    totals = [0] * labels
    patients = []
    while (left := count - sum(totals)) > 0:
        label = totals.index(min(totals))
        taken = min(left, images[int(rng.integers(len(images)))])
        totals[label] += taken
        patients.append((label, taken))
    return [patients[i] for i in rng.permutation(len(patients))]


def _generator(seed: int, stream: str, *keys: str | int) -> np.random.Generator:
    """Return the generator of a stream: what one stream draws never shifts another."""
    text = "/".join(map(str, keys)).encode()
    return np.random.default_rng(np.random.SeedSequence([seed, STREAMS.index(stream), *text]))


def _draw(rng: np.random.Generator, ranges: dict[str, tuple[float, float]]) -> Numbers:
    low, high = np.array(list(ranges.values())).T
    return dict(zip(ranges, rng.uniform(low, high).tolist(), strict=True))


def _body(case: Case, size: int, rng: np.random.Generator) -> Body:
    """Draw the patient from `rng` and the pose from its own stream."""
    n = _draw(rng, ANATOMY)
    n |= _draw(_generator(case.seed, "pose", case.patient, case.index), POSE)
    n["bedside"] = BEDSIDE.get(case.view, 0.0)
    n["breath"] -= 0.1 * n["bedside"]
    n["turn"] *= 1 + n["bedside"]
    n["heart"] *= 1 + 0.16 * n["bedside"]
    # The aorta unfolds with age, whoever the patient is.
    n["knob"] *= 0.95 + 0.1 * (float(case.age or 50) - AGES[0]) / (AGES[1] - AGES[0])
    turn, zoom = np.deg2rad(n["turn"]), n["scale"] * size / 2
    c, s = zoom * np.cos(turn), zoom * np.sin(turn)
    right, down = (1 + n["right"]) * size / 2 - 0.5, (1 + n["down"]) * size / 2 - 0.5
    return Body(n, np.array([[c, -s, right], [s, c, down]]), size)


def _curve(points: Any, steps: int = 8) -> Array:
    """Run a smooth (Catmull-Rom) curve through points."""
    p = np.array(points, np.float64)
    p = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    t = np.arange(steps)[:, None] / steps
    weights = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
    bends = t ** np.arange(4) @ weights @ p[np.arange(len(p) - 3)[:, None] + np.arange(4)]
    return np.concatenate([bends.reshape(-1, 2), p[-2:-1]])


@cache
def _shape(*names: str) -> Array:
    return np.concatenate([_curve(POINTS[name]) for name in names])


def _ribbons(lines: Array, widths: Any) -> Array:
    """Thicken lines (n, k, 2) into outlines; widths is one for all or k along the line."""
    step = lines[:, 1:] - lines[:, :-1]
    along = np.concatenate([step[:, :1], step[:, 1:] + step[:, :-1], step[:, -1:]], axis=1)
    x, y = along[..., 0], along[..., 1]
    across = np.stack([-y, x], -1) * (np.asarray(widths) / (2 * np.hypot(x, y) + 1e-9))[..., None]
    return np.concatenate([lines + across, (lines - across)[:, ::-1]], axis=1)


def _fixed(points: Array) -> Array:
    """Turn pixels into the fixed-point integers that OpenCV draws smoothly."""
    return np.asarray(np.rint(points * 256), np.int32)


def _fill(canvas: Array, outlines: Array, value: float, calls: int | None = None) -> None:
    """Fill outlines; those of one call must not overlap, or the overlap stays empty."""
    fixed = list(_fixed(outlines))
    calls = calls or len(fixed)
    for call in range(calls):
        cv2.fillPoly(canvas, fixed[call::calls], value, cv2.LINE_AA, 8)


def _trace(canvas: Array, lines: Array, value: float, width: float) -> None:
    """Draw lines; one thinner than a pixel is drawn a pixel wide, but fainter."""
    pixels = max(1, round(width))
    value *= min(1.0, width / pixels)
    cv2.polylines(canvas, list(_fixed(lines)), False, value, pixels, cv2.LINE_AA, 8)


def _bones(canvas: Array, body: Body, lines: Array, widths: Any, value: float) -> None:
    """Draw bones along lines (n, k, 2): soft inside, with the bright edges of their cortex."""
    outlines = body.place(_ribbons(lines, widths))
    half = lines.shape[1]
    _fill(canvas, outlines, 0.62 * value, 2)
    edges = np.concatenate([outlines[:, :half], outlines[:, half:]])
    _trace(canvas, edges, value, max(1.0, body.length(0.009)))


def _blank(size: int) -> Array:
    return np.zeros((size, size), np.uint8)


def _blur(canvas: Array, sigma: float) -> Array:
    """Blur an 8-bit canvas; sigma is in pixels."""
    if sigma > 2:  # a wide Gaussian would cost more than all the rest of the drawing
        return np.asarray(cv2.stackBlur(canvas, (2 * round(2.4 * sigma) + 1,) * 2))
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), max(sigma, 0.1)))


def _level(canvas: Array, value: float = 1.0) -> Array:
    """Return an 8-bit canvas as numbers of which the highest possible is `value`."""
    return np.multiply(canvas, np.float32(value / 255), dtype=np.float32)


def _add(total: Array, canvas: Array, value: float) -> None:
    """Add `_level(canvas, value)` in place."""
    cv2.addWeighted(canvas, value / 255, total, 1, 0, total, cv2.CV_32F)


def _depth(canvas: Array, reach: float) -> Array:
    """Return how deep a rounded body is, seen from the front: 0 at its edge, 1 `reach` inside."""
    far = cv2.distanceTransform((canvas > 127).view(np.uint8), cv2.DIST_L2, 5)
    rim = np.maximum(1 - far * np.float32(1 / reach), 0)
    return np.asarray(cv2.GaussianBlur(np.sqrt(1 - rim * rim), (0, 0), 0.015 * len(canvas)))


def _grow(field: Array, size: int) -> Array:
    return np.asarray(cv2.resize(field.astype(np.float32), (size, size)))


def _clouds(rng: np.random.Generator, size: int, grain: int) -> Array:
    """Return smooth noise about 0, of deviation near 1, with detail at two scales."""
    fine = rng.standard_normal((2 * grain, 2 * grain), np.float32)
    fine += 1.2 * cv2.resize(fine[:grain, :grain], fine.shape)
    return np.asarray(cv2.resize(fine, (size, size), interpolation=cv2.INTER_CUBIC))


def _beam(case: Case, size: int) -> tuple[Array, Array, Array]:
    """Return the attenuation of the body, the mask of the lungs and that of the opacity.

    Full-size arrays are changed in place: to fetch fresh memory takes longer than to add.
    """
    rng = _generator(case.seed, "anatomy", case.patient)
    body = _body(case, size, rng)
    n, chest, heart = body.numbers, _lungs(body), _heart(body)
    lungs = _blank(size)
    _fill(lungs, body.place(chest), 255)
    air = _grow(_chest_depth(body, chest) * (1 - 0.82 * heart), size)
    cv2.multiply(air, _blur(lungs, 0.004 * size), air, 1 / 255, cv2.CV_32F)
    vessels = _vessels(body, rng)
    lucent = _grow(AIR * (1.06 - 0.16 * n["fat"]) - 0.025 * _clouds(rng, size // 2, 24), size)
    _add(lucent, vessels, -n["vessels"])
    lucent *= air
    total = _grow(_soft(body, case.sex) + 0.12 * heart - n["dose"], size)
    total -= lucent
    # Overlying tissue scatters the beam, and so ribs show best over air.
    shown = np.multiply(air, 0.85, out=lucent)
    shown += 0.32
    shown *= _ribs(body, chest)
    total += shown
    _add(total, _frame(body), 0.18 * n["bone"])
    mask = np.asarray(cv2.threshold(lungs, 127, 255, cv2.THRESH_BINARY)[1])
    if not MASK_BEHIND_HEART:
        mask[_grow(heart, size) > 0.5] = 0
    lesion = _blank(size)
    if case.label != "normal":
        added = _opacity(case, body, chest, air, vessels)
        lesion = cv2.compare(added, VISIBLE, cv2.CMP_GT) & mask
        total += added
    return total, mask, lesion


def _lungs(body: Body) -> Array:
    """Return the outlines of the lungs (2, k, 2), in body units, the image's left one first."""
    n = body.numbers
    stretch = [
        [[side * n["width"] * (1 + side * n["uneven"]), 1.02 * n["height"] * n["breath"] + sink]]
        for side, sink in ((-1, 0.0), (1, n["dome"]))
    ]
    outlines = _shape("wall", "dome", "inner") * np.array(stretch) + [0, APEX]
    outlines[..., 0] += body.middle(outlines[..., 1])
    return np.asarray(outlines)


def _wall(chest: Array, side: int, y: Any) -> Array:
    """Return |x| of the chest wall at height y; side is -1 or 1."""
    x, height = chest[(side + 1) // 2, WALL].T
    return np.asarray(np.interp(y, height, np.abs(x)))


def _chest_depth(body: Body, chest: Array) -> Array:
    """Return, at half size, the chest's depth: it thins at the wall, not at the diaphragm."""
    left, right = chest[:, WALL]
    outline = np.concatenate([left[::-1], right, [[0.72, 1.2], [-0.72, 1.2]]])
    coarse = _blank(body.size // 4)
    _fill(coarse, body.place(outline[None]) / 4, 255)
    return 0.3 + 0.7 * _grow(_depth(coarse, body.length(0.24) / 4), body.size // 2)


def _heart(body: Body) -> Array:
    """Return, at half size, heart, aorta and mediastinum as 0..1."""
    n, canvas = body.numbers, _blank(body.size // 2)
    sink = 0.8 * (n["height"] * n["breath"] - 1)
    stretch = {"mediastinum": (1.0, 0.0), "heart": (n["heart"], sink), "knob": (n["knob"], 0.0)}
    for part, (wide, down) in stretch.items():
        outline = _shape(part) * [wide, 1] + [0, down]
        outline[:, 0] += 1.5 * body.middle(outline[:, 1])
        _fill(canvas, body.place(outline[None]) / 2, 255)
    near, wide_blur = _blur(canvas, 0.0035 * body.size), _blur(canvas, 0.025 * body.size)
    return _level(near, 0.8) + _level(wide_blur, 0.2)


def _soft(body: Body, sex: str) -> Array:
    """Return, at half size, the soft tissue of trunk, arms and breasts, less the air in it."""
    n, half = body.numbers, body.size // 2
    skin, glands, gas = (_blank(half) for _ in range(3))
    edge, rise = _shape("trunk").copy(), [0, n["shoulder"]]
    edge[:, 0] += (0.12 * n["fat"] + n["width"] - 1) * np.clip(5 * edge[:, 1] + 1.7, 0, 1)
    edge[:, 1] -= n["shoulder"] * (edge[:, 0] > 0.5) * (edge[:, 1] < -0.4)
    _fill(skin, body.place(np.concatenate([edge, (edge * [-1, 1])[::-1]])[None]) / 2, 255)
    arms = _ribbons((_shape("arm") - rise) * SIDES, 0.24 + 0.08 * n["fat"])
    _fill(skin, body.place(arms) / 2, 255)
    rows = np.linspace(-1, 1, half, dtype=np.float32)[:, None]
    belly = 0.16 / (1 + np.exp(3.8 - 9 * rows))
    total = _depth(skin, body.length(0.5) / 2) * (0.9 + 0.14 * n["fat"] + belly)
    if sex == "F":
        r, y = 0.22 + 0.08 * n["breast"], 0.17 + 0.07 * n["breast"]
        for side in (-1, 1):
            cv2.ellipse(glands, body.ellipse(side * 0.47, y, r, 0.95 * r, 2), 255, -1)
        total += _level(_blur(glands, 0.03 * half), 0.08 + 0.07 * n["breast"])
    if n["bubble"] > 0:
        bubble = body.ellipse(0.34, 0.58, 0.13, 0.05 + 0.05 * n["bubble"], 2)
        cv2.ellipse(gas, bubble, 180 * n["bubble"], -1)
    airway = _shape("airway").copy()
    airway[:, 0] += 1.3 * body.middle(airway[:, 1])
    _fill(gas, body.place(airway[None]) / 2, 110)
    return np.asarray(total - _level(_blur(gas, 0.008 * half), 0.3))


def _vessels(body: Body, rng: np.random.Generator) -> Array:
    """Return the branching shadows of the lungs' vessels."""
    side = np.repeat([-1.0, 1.0], 11)
    toward = np.tile(np.linspace(-1.25, 1.35, 11), 2) + rng.normal(0, 0.1, 22)
    roots = np.stack([0.17 * side, -0.1 - 0.03 * side + 0.1 * np.sin(toward)], -1)
    roots += rng.normal(0, 0.02, (22, 2))
    far, t, trees = rng.uniform(0.2, 0.42, 22), np.linspace(0, 1, 9), []
    for _ in TWIGS:
        bend = toward[:, None] + rng.normal(0, 0.6, (len(roots), 1)) * t
        step = np.stack([side[:, None] * np.cos(bend), np.sin(bend)], -1) * far[:, None, None] / 8
        lines = roots[:, None] + np.cumsum(step, axis=1) - step[:, :1]
        trees.append(body.place(lines))
        side, lines = np.repeat(side, 2), np.repeat(lines, 2, axis=0)
        roots = lines[np.arange(len(lines)), rng.integers(3, 8, len(lines))]
        toward = np.repeat(toward, 2) + rng.normal(0, 0.55, len(lines))
        far = np.repeat(far, 2) * rng.uniform(0.4, 0.8, len(lines))
    canvas, hila = _blank(body.size), _blank(body.size // 4)
    trunk, *widths = (body.length(width) for width in TWIGS)
    for lines, width in zip(reversed(trees[1:]), reversed(widths), strict=True):
        _trace(canvas, lines[:, ::2], 100, 1.2 * width)
    _fill(canvas, _ribbons(trees[0], trunk * (1 - 0.65 * t)), min(255.0, 75 * (1 + trunk)))
    for s in (-1, 1):
        cv2.ellipse(hila, body.ellipse(s * 0.17, -0.09, 0.06, 0.13, 4), 130, -1)
    return np.asarray(cv2.add(canvas, cv2.resize(_blur(hila, 0.014 * body.size), canvas.shape)))


def _ribs(body: Body, chest: Array) -> Array:
    """Return the attenuation of the ribs.

    A rib is a tilted ring seen from the front: it leaves the spine level, falls along the wall
    and comes forward lower and steeper than it left.
    """
    n, size, number = body.numbers, body.size, np.arange(11)[:, None]
    start = -0.78 + n["ribs"] * n["breath"] * number
    drop = 0.2 + 0.06 * np.minimum(number, 4)
    reach = np.stack([_wall(chest, side, start + drop / 2) for side in (-1, 1)]) - 0.03
    angle = np.pi * np.concatenate([np.linspace(0.02, 0.5, 11), np.linspace(0.5, 0.87, 11)])
    y = start + drop * (1 - np.cos(angle)) / 2 - 0.025 * np.sin(2 * angle)
    x = SIDES[..., :1] * (0.05 + reach * np.sin(angle) ** 0.9) + body.middle(y)
    lines = np.stack([x, np.broadcast_to(y, x.shape)], -1).reshape(22, 22, 2)
    rear, fore, wide = _blank(size), _blank(size), np.linspace(0.042, 0.054, 11)
    _bones(rear, body, lines[:, :11], wide, 240)
    _bones(fore, body, lines[:, 11:], wide + 0.012, 240)
    # The front ends are cartilage, which the beam hardly sees.
    middle = (size - 1) / 2 + body.length(n["oblique"] + n["right"])
    aside = np.abs(np.arange(size, dtype=np.float32) - middle) * (2 / size)
    ribs = _level(fore, 0.16 * n["bone"])
    ribs *= np.clip(aside * 2.6 - 0.8, 0, 1)
    _add(ribs, rear, 0.23 * n["bone"])
    return ribs


def _frame(body: Body) -> Array:
    """Return the shadows of spine, scapulae, arms and clavicles."""
    n, canvas = body.numbers, _blank(body.size)
    y = -1.1 + 0.118 * np.arange(19)[:, None]
    corner = np.array(POINTS["vertebra"])
    x = body.middle(y) + (0.084 + 0.014 * y) * corner[:, 0]
    boxes = body.place(np.stack([x, y + corner[:, 1]], -1))
    _fill(canvas, boxes, 55, 1)
    _trace(canvas, boxes, 85, body.length(0.012))
    # Bedside views leave the shoulder blades over the lungs.
    blades = body.place((_shape("scapula") - [0.1 * n["bedside"] - 0.08, 0]) * SIDES)
    _fill(canvas, blades, 55)
    _trace(canvas, blades, 110, body.length(0.014))
    _bones(canvas, body, (_shape("humerus") - [0, n["shoulder"]]) * SIDES, 0.1, 180)
    for side in (-1, 1):
        head = body.ellipse(side * 0.88, -0.5 - n["shoulder"], 0.09, 0.1, 1)
        cv2.ellipse(canvas, head, 130, -1, cv2.LINE_AA)
    collar = _shape("clavicle").copy()
    collar[:, 1] -= n["shoulder"] * np.clip(2 * collar[:, 0] - 0.4, 0, 1)
    wide = np.linspace(0.07, 0.05, len(collar))
    _bones(canvas, body, collar * SIDES + [n["oblique"], 0], wide, 200)
    return canvas


def _opacity(case: Case, body: Body, chest: Array, air: Array, vessels: Array) -> Array:
    """Return what the disease adds: fluid in place of air, and so nothing where there is none."""
    rng = _generator(case.seed, "disease", case.patient)
    coarse = body.size // 4
    grid = np.stack(np.meshgrid(np.arange(coarse), np.arange(coarse)), -1) * 4.0 + 1.5
    back = cv2.invertAffineTransform(body.to_pixels)
    across, down = np.moveaxis(grid @ back[:, :2].T + back[:, 2], -1, 0).astype(np.float32)
    draw = _covid if case.label == "covid" else _pneumonia
    patches = np.array(draw(rng, chest), np.float32)
    x, y, wide, tall, amount = patches.T[..., None, None]
    texture = _clouds(rng, coarse, 10)
    far = ((across - x) / wide) ** 2 + ((down - y) / tall) ** 2
    far *= np.maximum(1 + 0.2 * texture, 0.2)
    if case.label == "pneumonia":
        # Consolidation ends sharper than ground glass, and here keeps to its lung.
        far *= np.sqrt(far)
        far[:, across * np.sign(patches[0, 0]) < 0] = 99
    spread = (amount * cv2.exp(-far)).sum(axis=0) * (1 + 0.14 * texture)
    field = _grow(AIR * np.minimum(spread, 0.85), body.size)
    field *= air
    if case.label == "pneumonia":
        # Airways stay open in consolidated lung and run beside the vessels: dark in white.
        field *= 1 - _level(vessels, 0.35)
    return field


def _spot(chest: Array, side: int, across: float, down: float) -> tuple[float, float]:
    """Return the point of a lung at fractions of its width (from the middle) and its height."""
    y = APEX + down * (chest[(side + 1) // 2, 56, 1] - 0.1 - APEX)
    return side * (0.14 + across * (float(_wall(chest, side, y)) - 0.14)), float(y)


def _covid(rng: np.random.Generator, chest: Array) -> list[tuple[float, ...]]:
    """Draw patches (x, y, radii, amount) along the walls of both lungs, most of them low."""
    severity = rng.uniform(0.18, 0.52)
    patches: list[tuple[float, ...]] = []
    for i in range(int(rng.integers(4, 11))):
        spot = _spot(chest, 2 * (i % 2) - 1, rng.uniform(0.55, 0.98), rng.beta(3.5, 1.8))
        wide, longer = rng.uniform(0.09, 0.17), rng.uniform(1, 1.7)
        patches.append((*spot, wide, wide * longer, severity * rng.uniform(0.6, 1.1)))
    return patches


def _pneumonia(rng: np.random.Generator, chest: Array) -> list[tuple[float, ...]]:
    """Draw patches (x, y, radii, amount) that make up one consolidated segment."""
    severity, side, wide = rng.uniform(0.34, 0.9), int(rng.choice([-1, 1])), rng.uniform(0.15, 0.27)
    lobe = float(rng.choice([0.25, 0.55, 0.8])) + rng.uniform(-0.06, 0.06)
    x, y = _spot(chest, side, rng.uniform(0.3, 0.7), lobe)
    patches: list[tuple[float, ...]] = [(x, y, wide, wide * rng.uniform(0.7, 1.1), severity)]
    for right, down in rng.normal(0, 0.7 * wide, (2, 2)):
        patches.append((x + right, y + down, 0.6 * wide, 0.6 * wide, 0.4 * severity))
    return patches


def _expose(total: Array, rng: np.random.Generator) -> Array:
    """Add the detector's blur and quantum noise, which grows where less gets through."""
    size = len(total)
    # Uniform bytes are ten times faster than normal numbers, and normal enough once blurred.
    grain = np.frombuffer(rng.bytes(size * size), np.uint8).reshape(size, size)
    noise = cv2.GaussianBlur(grain, (0, 0), 0.6) - np.float32(127.5)
    noise *= NOISE
    noise *= total + np.float32(0.4)
    noise += cv2.GaussianBlur(total, (0, 0), 0.0022 * size + 0.1)
    return np.asarray(noise)


def _signature(source: str) -> dict[str, Any]:
    """Return how a hospital's images look; successive ones are spread far apart."""
    k = int(source.rpartition("-")[2]) - 1
    # Multiples of irrational numbers fill 0..1 evenly: neighbours in k never look alike.
    u = np.modf(0.5 + k * np.sqrt([2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0]))[0].tolist()
    return {
        "gamma": 0.7 + 0.7 * u[0],
        "black": 0.1 * u[1],
        "white": 1 - 0.14 * u[2],
        "native": 0.55 + 0.6 * u[3],  # resolution against the image's; no blur from 1 on
        "vignette": 0.16 * u[4],
        "wires": 0.7 * u[5],  # how often
        "quality": int(40 + 100 * u[6]),  # of the JPEG; none from 96 on
        "border": ("none", "sides", "frame", "top")[k % 4],
        "marker": ("L", "R", "PORTABLE", "AP", "L  7", "S")[k % 6],
        "corner": (k + k // 4) % 4,
    }


def _develop(rays: Array, signature: dict[str, Any], rng: np.random.Generator) -> Array:
    """Turn attenuation into the 8-bit image that a hospital would archive."""
    size, (slope, centre) = len(rays), FILM
    if rng.random() < signature["wires"]:
        rays += _wires(size, rng)
    # The beam is weaker in the corners, and these turn out darker.
    axis = np.linspace(-1, 1, size, dtype=np.float32) ** 2 * np.float32(signature["vignette"])
    rays -= axis
    rays -= axis[:, None]
    rays -= centre
    rays *= -slope
    light = cv2.exp(rays)
    light += 1
    density = np.divide(255, light, out=light).astype(np.uint8)
    low, high = signature["black"], signature["white"]
    levels = low + (high - low) * np.linspace(0, 1, 256) ** signature["gamma"]
    picture = cv2.LUT(density, (255 * levels).astype(np.uint8))
    if signature["native"] < 1:
        native = cv2.resize(picture, None, fx=signature["native"], fy=signature["native"])
        picture = cv2.resize(native, (size, size))
    _mark(picture, signature, rng)
    if signature["quality"] > 95:
        return np.asarray(picture)
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, signature["quality"]])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)


def _wires(size: int, rng: np.random.Generator) -> Array:
    """Return the attenuation of leads and electrodes over the chest."""
    canvas = _blank(size)
    for _ in range(int(rng.integers(1, 4))):
        end = rng.uniform([-0.5, -0.5], [0.5, 0.3])
        start = np.array([rng.choice([-1.1, 1.1]), rng.uniform(-0.2, 1.0)])
        line = _curve([start, (start + end) / 2 + rng.normal(0, 0.2, 2), end], 12)
        points, radius = (line + 1) * size / 2, int(4.1 * size)
        _trace(canvas, points[None], 120, 0.006 * size)
        cv2.circle(canvas, _fixed(points[-1]).tolist(), radius, 200, -1, cv2.LINE_AA, 8)
    return _level(_blur(canvas, 0.002 * size), 0.45)


def _mark(picture: Array, signature: dict[str, Any], rng: np.random.Generator) -> None:
    """Burn in the marker and draw the border, in place."""
    size, (low, right) = len(picture), divmod(signature["corner"], 2)
    scale = size / 256 * rng.uniform(0.42, 0.5)
    text, font = signature["marker"], cv2.FONT_HERSHEY_SIMPLEX
    wide = cv2.getTextSize(text, font, scale, 1)[0][0]
    x = int(size * 0.94 - wide if right else size * 0.06)
    y = int(size * ((0.93 if low else 0.11) + rng.uniform(-0.02, 0.02)))
    cv2.putText(picture, text, (x, y), font, scale, 245, max(1, size // 180), cv2.LINE_AA)
    edge = max(1, int(size * rng.uniform(0.025, 0.05)))
    if signature["border"] == "sides":
        picture[:, :edge] = picture[:, -edge:] = 0
    elif signature["border"] == "top":
        picture[:edge] = picture[-edge:] = 0
    elif signature["border"] == "frame":
        cv2.rectangle(picture, (0, 0), (size - 1, size - 1), 235, max(1, edge // 3))
