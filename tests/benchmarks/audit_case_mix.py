"""Print how often the intervals of AUC matched by age, sex and view hold the true value.

    python tests/benchmarks/audit_case_mix.py [--runs N]

Ages (five bands) and sex belong to the patient, views (three) to the image: 30 joint strata. Ill
patients are older, and imaged in other views, by `follows`; age and view also move the score, by
`use`. The truth is the mean of ten sets of 10,000 patients. `pairs` weighs strata by their pairs,
`positives` by their positives; `matched` is the share of all pairs that are matched, `partners` the
number of patients who have one. Sets without a matched pair have no interval and do not count.
"""

import argparse

import numpy as np
from scipy import special

from cxrtool.stats import matching
from cxrtool.stats.within import Auc, Decomposition, difference_bounds

BANDS, VIEWS, ALIKE, DISEASE = 5, 3, 0.5, 0.8
SCENARIOS = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.6), (0.9, 0.6))
LEVEL = 0.95
Scenario = tuple[float, float]


def drawn(
    rng: np.random.Generator, patients: int, ill: float, images: int, scenario: Scenario
) -> tuple[Decomposition, Auc, int]:
    """Draw a set of patients; return AUC within strata, weighted in two ways, and partners."""
    follows, use = scenario
    number = rng.integers(1, 2 * images, patients) if images > 1 else np.ones(patients, np.int64)
    who = np.repeat(np.arange(patients), number)
    label = rng.random(patients) < ill
    age = rng.normal(size=patients) + follows * label
    band = np.searchsorted([-1.2, -0.4, 0.4, 1.2], age)
    sex = rng.integers(0, 2, patients)
    label = label[who]
    chance = np.array([0.4, 0.3, 0.3]) + np.where(label[:, None], follows, -follows) * np.array(
        [0.3, 0.0, -0.3]
    )
    view = (rng.random((len(who), 1)) > np.cumsum(chance, axis=1)[:, :2]).sum(axis=1)
    strata = matching.joint_strata([band[who], sex[who], view])
    scores = np.sqrt(2) * special.ndtri(DISEASE) * label
    scores = scores + use * (band[who] / 2 - 1) + use * (1 - view)
    scores += np.sqrt(ALIKE) * rng.normal(size=patients)[who]
    scores += np.sqrt(1 - ALIKE) * rng.normal(size=len(who))
    parts = Decomposition(label, scores, strata, who)
    partners = len(np.unique(who[matching.have_partner(label, strata)]))
    effects = parts.strata.design_effects(scores) if parts.is_defined else [1.0, 1.0]
    adjusted = Auc(matching.auc_per_positive(label, scores, strata), parts.strata, effects)
    return parts, adjusted, partners


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=300)
    runs = parser.parse_args().runs
    rng = np.random.default_rng(0)
    print(
        "patients  ill images follows use | sets matched partners |"
        " pairs: truth mean covered above below width | positives: truth mean covered width"
    )
    for patients in (40, 60, 100, 200, 400):
        for ill in (0.2, 0.5):
            for images in (1, 4):
                for scenario in SCENARIOS:
                    _line(rng, runs, (patients, ill, images, scenario))


def _line(rng: np.random.Generator, runs: int, given: tuple[int, float, int, Scenario]) -> None:
    many = [drawn(rng, 10_000, *given[1:]) for _ in range(10)]
    truth = float(np.mean([parts.value for parts, _, _ in many]))
    adjusted_truth = float(np.mean([p.whole.value - a.value for p, a, _ in many]))
    sets = [drawn(rng, *given) for _ in range(runs)]
    sets = [s for s in sets if s[0].is_defined and s[0].share > 0]
    bounds = np.array([parts.bounds(LEVEL) for parts, _, _ in sets])
    adjusted = np.array([difference_bounds(p.whole, a, LEVEL) for p, a, _ in sets])
    share = np.mean([parts.share for parts, _, _ in sets])
    partners = np.mean([number for _, _, number in sets])
    low, high = bounds.T
    covered = (low <= truth) & (truth <= high)
    own = (adjusted[:, 0] <= adjusted_truth) & (adjusted_truth <= adjusted[:, 1])
    patients, ill, images, (follows, use) = given
    print(
        f"{patients:>8} {ill:>4} {images:>6} {follows:>7} {use:>3} | {len(sets):>4} {share:>7.3f}"
        f" {partners:>8.1f} | {truth:>7.3f} {np.mean([p.value for p, _, _ in sets]):>7.3f}"
        f" {covered.mean():>7.3f} {np.mean(high < truth):>6.3f} {np.mean(low > truth):>6.3f}"
        f" {np.mean(high - low):>5.3f} | {adjusted_truth:>7.3f}"
        f" {np.mean([p.whole.value - a.value for p, a, _ in sets]):>7.3f} {own.mean():>7.3f}"
        f" {np.mean(adjusted[:, 1] - adjusted[:, 0]):>5.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
