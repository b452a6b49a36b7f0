"""Where a slice lies, and what it is called: plainly, or as a collection of CT slices has it."""

from collections.abc import Sequence
from dataclasses import replace

from cxrtool.phantoms.cases import PhantomCase

NONE, PLAIN = "none", "plain"
PLAIN_PATH = "images/phantom-{number:06d}.png"
# What the presets of these collections look for: the path of a covid image, and of the others.
COLLECTIONS = {
    "scov": {
        "covid": "scov/COVID/Covid ({number}).png",
        "": "scov/non-COVID/Non-Covid ({number}).png",
    },
    "mgc": {
        "covid": "mgc/CT_COVID/2020.03.{day:02d}.2003{patient:04d}-p{page}-{figure}%{number}.png",
        "": "mgc/CT_NonCOVID/{patient}%{number}.png",
    },
    "ccii": {
        "covid": "ccii/NCP/{patient}/{scan}/{number:04d}.png",
        "pneumonia": "ccii/CP/{patient}/{scan}/{number:04d}.png",
        "": "ccii/Normal/{patient}/{scan}/{number:04d}.png",
    },
    "ictcf": {"covid": "ictcf/pCT/pCT{number}.png", "": "ictcf/nCT/nCT{number}.png"},
}
NAMES = (NONE, PLAIN, *COLLECTIONS)
# Several slices a patient.
SLICES = range(2, 6)


def of_collection(cases: Sequence[PhantomCase], layout: str) -> list[PhantomCase]:
    """Give all cases one hospital, another for every collection."""
    hospital = f"hospital-{list(COLLECTIONS).index(layout) + 1}"
    return [replace(case, source=hospital) for case in cases]


def image_path(case: PhantomCase, layout: str) -> str:
    """Name the image of a case, with the folders that the layout has for its class."""
    patterns = COLLECTIONS.get(layout, {"": PLAIN_PATH})
    patient = int(case.patient.lstrip("p"))
    return patterns.get(case.label, patterns[""]).format(
        number=case.index + 1,
        patient=patient,
        scan=1000 + patient,
        day=patient % 28 + 1,
        page=patient % 9 + 1,
        figure=50 + patient % 50,
    )
