"""Print how often the check `broken` calls predictions a fault: sound, learned, and faulty ones.

    python tests/benchmarks/audit_broken.py [--runs N]

Scores are normal, moved by the disease and, where the model has learned it, by the source.
Association is P(second half of the sources | ill) - P(the same | well). A model may be blind in a
source that it has learned: there, a part of the effect of the disease is lost. A fault is in one
source: one score; grey levels of another scale (a high score that tells nothing); inverted images
(a high score that ranks the wrong way); one named class whatever the score is; the other class
named. Or it is in two sources: one named class in both, or another in each. Or in all: the columns
of the classes are in the wrong order. Some sets have scores with few digits, so that some are equal
to the threshold, and some have another class than by their score for a few images. Columns:
`fault`, the verdict `shown`; `said`, the remark that a source has one predicted class.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from cxrtool.audit.case import Case, ImageRows, ModelScores
from cxrtool.audit.checks import broken
from cxrtool.files.predictions import Coded

REMARK = "are predicted as one class"


@dataclass(frozen=True)
class Setting:
    """How the scores come about."""

    name: str
    disease: float = 1.5  # in standard deviations
    association: float = 0.0
    source: float = 0.0  # what the source adds to the score
    blind: float = 0.0
    fault: str = ""
    ill: float = 0.5
    threshold: float = 0.0
    digits: int = 12  # of the scores; the class is named before they are rounded
    changed: float = 0.0  # share of images whose named class is the other one
    fewest: int = 2  # sources, without which the fault is of all images


SETTINGS = (
    Setting("sound"),
    Setting("sound, AUC 0.98", 3),
    Setting("sound, 20 % ill, few predicted so", ill=0.2, threshold=1.5),
    Setting("sound, scores of 2 digits", digits=2),
    Setting("sound, 2 % of named classes changed", changed=0.02),
    Setting("source learned, weakly", association=0.5, source=2),
    Setting("source learned", association=0.8, source=3),
    Setting("source learned, strongly", association=0.8, source=5),
    Setting("the same, scores of 2 digits", association=0.8, source=5, digits=2),
    Setting("the same, 2 % of classes changed", association=0.8, source=5, changed=0.02),
    Setting("nothing but the source learned", 0, association=0.8, source=5),
    Setting("source learned, half blind in it", association=0.8, source=5, blind=0.5),
    Setting("source learned, blind in it", association=0.8, source=5, blind=1),
    Setting("source learned, not associated here", source=5),
    Setting("one score", fault="one score"),
    Setting("another scale", fault="scale"),
    Setting("another scale, AUC 0.98", 3, fault="scale"),
    Setting("inverted", fault="inverted"),
    Setting("one named class", fault="named"),
    Setting("the same, scores of 2 digits", fault="named", digits=2),
    Setting("the same, 2 % changed elsewhere", fault="named", changed=0.02),
    Setting("one named class in two sources", fault="two", fewest=3),
    Setting("another named class in each of two", fault="opposite"),
    Setting("other class named in one source", fault="other"),
    Setting("classes in the wrong order", fault="order"),
)


def drawn(rng: np.random.Generator, images: int, sources: int, own: Setting) -> Case:
    """Draw a set: one or two images a patient, all of one source."""
    patients = int(images / 1.5)
    who = np.repeat(np.arange(patients), rng.integers(1, 3, patients))
    ill = rng.random(patients) < own.ill
    second = rng.random(patients) < 0.5 + np.where(ill, 1, -1) * own.association / 2
    half = sources // 2
    source = second * half + rng.integers(0, np.where(second, sources - half, half))
    effect = own.disease * (ill - 0.5) * np.where(second, 1 - own.blind, 1.0)
    patient = effect + own.source * (second - 0.5) + np.sqrt(0.5) * rng.normal(size=patients)
    logit = patient[who] + np.sqrt(0.5) * rng.normal(size=len(who)) - own.threshold
    label, last = ill[who], source[who] == sources - 1
    noise = rng.normal(size=len(who))
    faulty = {"one score": 3.0 + 0 * noise, "scale": 6 + noise, "inverted": 5.5 - label + noise}
    if own.fault in faulty:
        logit[last] = faulty[own.fault][last]
    scores = 1 / (1 + np.exp(-logit))
    named = (scores > 0.5).astype(np.int64)
    # Drawn last, so that all else is as in sets without changes.
    named = np.where(rng.random(len(who)) < own.changed, 1 - named, named)
    before = source[who] == sources - 2
    named = {
        "named": np.where(last, 1, named),
        "two": np.where(last | before, 1, named),
        "opposite": np.where(last, 1, np.where(before, 0, named)),
        "other": np.where(last, 1 - named, named),
        "order": 1 - named,
    }.get(own.fault, named)
    return case_of(who, label, source[who], scores.round(own.digits), named)


def case_of(
    who: np.ndarray, label: np.ndarray, source: np.ndarray, scores: np.ndarray, named: np.ndarray
) -> Case:
    number = len(who)
    images = ImageRows(
        lambda row: f"{row}.png",
        label.astype(np.int64),
        who,
        {"patient": who + 1},
        {"source": Coded([f"S{k}" for k in range(source.max() + 1)], source.astype(np.int64))},
        np.ones(number, bool),
    )
    return Case(images, [ModelScores("m", np.arange(number), scores, named)], "ill", ["well"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    cells = [(images, sources) for sources in (2, 3, 6) for images in (60, 150, 500)]
    print(" " * 36 + "  ".join(f"{sources}x{images:<9}" for images, sources in cells))
    for setting in SETTINGS:
        texts = []
        for images, sources in cells:
            if sources < setting.fewest:
                texts.append("-" + " " * 9)
                continue
            rngs = [np.random.default_rng([4, images, sources, k]) for k in range(runs)]
            rows = [broken.assess(drawn(rng, images, sources, setting))[0] for rng in rngs]
            fault = np.mean([row.verdict == "shown" for row in rows])
            said = np.mean([REMARK in row.meaning for row in rows])
            texts.append(f"{fault:.2f}, {said:.2f}")
        print(f"{setting.name:<36}" + "  ".join(texts), flush=True)


if __name__ == "__main__":
    main()
