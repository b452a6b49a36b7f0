"""Print how often intervals of a difference between two groups of seeds hold the true value.

    python tests/benchmarks/audit_seeds.py [--runs N] [--draws N] [--auc A] [--seeds A,B]

Two preprocessings are compared on the same images, each with several networks that differ in their
seed. Scores are normal: the disease moves them by an amount that is each network's own, and the
rest of the variance is shared by all networks, by those of one preprocessing, or by none. `seed SD`
is the standard deviation of the true AUC between seeds; `alike` says that the networks of a
preprocessing differ in nothing else. A patient has one or two images. The truth is the difference
of the mean AUCs over all seeds and all patients, which has a formula. With --within, sources follow
the label, the first preprocessing shows them to its networks, and AUC within sources is judged: it
has the same truth.

The intervals: `both` is that of the audit; `sum` adds the variances over patients and over seeds,
and so counts images on which the seeds disagree twice; `bootstrap` draws patients and seeds
(percentiles); `patients` takes the seeds as fixed, `seeds` the patients (Welch).
"""

import argparse
import itertools
from collections.abc import Callable

import numpy as np
from scipy import special

from cxrtool.stats import cluster_variance, within
from cxrtool.stats.cluster_variance import Strata
from cxrtool.stats.intervals import Bounds
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.seed_contrast import SeedFigures, contrast

LEVEL = 0.95
# The parts of the variance that all networks, those of a preprocessing, and one network have.
SHARED, OF_GROUP, OF_SEED = 0.6, 0.2, 0.2
GAIN = 0.02  # in AUC
ASSOCIATION = 0.5  # P(source B | ill) - P(source B | well)
SEEDS = (("0, alike", 0.0), ("0", 0.0), ("0.01", 0.01), ("0.03", 0.03))
Study = tuple[SeedFigures, SeedFigures, Strata, "list[Floats]", "Ints"]


def by_image(rng: np.random.Generator, who: Ints, shape: tuple[int, ...]) -> Floats:
    """Draw noise of variance 1, half of it the patient's."""
    patients = rng.normal(size=(*shape, int(who.max()) + 1))[..., who]
    noise: Floats = (patients + rng.normal(size=(*shape, len(who)))) / np.sqrt(2)
    return noise


def drawn(
    rng: np.random.Generator,
    patients: int,
    seeds: tuple[int, int],
    kind: str,
    auc: float,
    inside: bool = False,
) -> tuple[Study, float]:
    """Draw a study, and tell the true difference."""
    who = np.repeat(np.arange(patients), rng.integers(1, 3, patients))
    ill = rng.random(patients) < 0.5
    positive = ill[who]
    alike, spread = "alike" in kind, dict(SEEDS)[kind]
    codes = None
    if inside:
        codes = (rng.random(patients) < 0.5 + ASSOCIATION * (ill - 0.5))[who].astype(np.int64)
    common = np.sqrt(SHARED) * by_image(rng, who, ())
    own, rest = (OF_GROUP + OF_SEED, 0.0) if alike else (OF_GROUP, OF_SEED)
    groups, scores, truth = [], [], []
    shown = 0 if codes is None else codes
    for number, at, use in zip(seeds, (auc + GAIN, auc), (1.0, 0.0), strict=True):
        middle = np.sqrt(2) * special.ndtri(at)
        # The AUC of a network is a normal integral of its effect / sqrt(2).
        deviation = spread * np.sqrt(2) / (np.exp(-(middle**2) / 4) / np.sqrt(2 * np.pi))
        effect = middle + deviation * rng.normal(size=(number, 1))
        noise = np.sqrt(own) * by_image(rng, who, ())
        noise = noise + np.sqrt(rest) * by_image(rng, who, (number,))
        scores.append(effect * positive + common + noise + use * shown)
        parts = [within.pair_auc(positive, one, codes) for one in scores[-1]]
        values, influence = ([p.value for p in parts], [p.influence for p in parts])
        groups.append(SeedFigures(np.array(values), np.array(influence)))
        truth.append(special.ndtr(middle / np.sqrt(2 + deviation**2)))
    strata = Strata(positive.astype(np.int8), who)
    return (groups[0], groups[1], strata, scores, who), float(truth[0] - truth[1])


def both(study: Study) -> Bounds:
    first, second, strata, _, _ = study
    return contrast(first, second, strata).bounds(LEVEL)


def added(study: Study) -> Bounds:
    first, second, strata, _, _ = study
    result = contrast(first, second, strata)
    error = np.hypot(result.of_patients, result.of_seeds)
    half = cluster_variance.student(LEVEL, result.freedom) * error
    return result.value - half, result.value + half


def patients_alone(study: Study) -> Bounds:
    first, second, strata, _, _ = study
    result = contrast(first, second, strata)
    half = cluster_variance.student(LEVEL, len(strata.counts[0]) - 2.0) * result.of_patients
    return result.value - half, result.value + half


def seeds_alone(study: Study) -> Bounds:
    first, second, strata, _, _ = study
    result = contrast(first, second, strata)
    parts = [g.values.var(ddof=1) / len(g.values) for g in (first, second)]
    below = sum(p**2 / (len(g.values) - 1) for p, g in zip(parts, (first, second), strict=True))
    freedom = sum(parts) ** 2 / below if below > 0 else np.inf
    half = cluster_variance.student(LEVEL, freedom) * result.of_seeds
    return result.value - half, result.value + half


def bootstrap(study: Study, rng: np.random.Generator, draws: int) -> Bounds:
    _, _, strata, scores, who = study
    positive = strata.codes == 1
    times = rng.multinomial(strata.patients, np.full(strata.patients, 1 / strata.patients), draws)
    weights = times[:, who].astype(np.float32)
    ours, theirs = weights[:, positive], weights[:, ~positive]
    pairs = np.maximum(ours.sum(1) * theirs.sum(1), 1)
    means = []
    for group in scores:
        chosen = rng.multinomial(len(group), np.full(len(group), 1 / len(group)), draws)
        wins = [
            (one[positive][:, None] > one[~positive][None, :]).astype(np.float32) for one in group
        ]
        aucs = np.array([((ours @ won) * theirs).sum(1) / pairs for won in wins])
        means.append((chosen.T * aucs).sum(0) / len(group))
    low, high = np.quantile(means[0] - means[1], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=0, help="of the bootstrap; 0 leaves it out")
    parser.add_argument("--auc", type=float, default=0.85)
    parser.add_argument("--seeds", nargs="+", default=["5,5", "10,10"], metavar="A,B")
    parser.add_argument("--within", action="store_true")
    options = parser.parse_args()
    if options.within and options.draws:
        parser.error("the bootstrap is of the whole AUC: leave --within or --draws out")
    methods: dict[str, Callable[[Study], Bounds]] = {
        "both": both,
        "sum": added,
        "patients": patients_alone,
        "seeds": seeds_alone,
    }
    rng, draws = np.random.default_rng(0), np.random.default_rng(1)
    if options.draws:
        methods["bootstrap"] = lambda study: bootstrap(study, draws, options.draws)
    print("| seeds | patients | seed SD | " + " | ".join(methods) + " | width of both |")
    print("|---" * (len(methods) + 4) + "|")
    numbers = [tuple(map(int, pair.split(","))) for pair in options.seeds]
    for (one, two), patients, (kind, _) in itertools.product(numbers, (100, 400), SEEDS):
        held: dict[str, list[bool]] = {name: [] for name in methods}
        widths = []
        for _ in range(options.runs):
            study, truth = drawn(rng, patients, (one, two), kind, options.auc, options.within)
            for name, method in methods.items():
                low, high = method(study)
                held[name].append(low <= truth <= high)
                widths += [high - low] if name == "both" else []
        cells = " | ".join(f"{np.mean(marks):.3f}" for marks in held.values())
        alike = f"{one}" if one == two else f"{one} and {two}"
        print(f"| {alike} | {patients} | {kind} | {cells} | {np.mean(widths):.3f} |", flush=True)


if __name__ == "__main__":
    main()
