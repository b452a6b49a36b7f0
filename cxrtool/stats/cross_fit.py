"""How well some measurements predict the label of new patients: cross-fitting by patient.

Every image is scored by a model that was fitted without its patient's fold, and AUC counts only
pairs of images of one fold. Pairs across folds would compare the scores of different models, whose
baselines depend on each other's labels: where nothing can be predicted, that AUC lies below 0.5.
Within a fold it is 0.5 on average, as the labels there took no part in the fit.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from cxrtool.stats import within
from cxrtool.stats.cluster_variance import NOTHING, Strata
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Auc, Marks, PairAuc

FOLDS, REPEATS = 5, 5
# By how many standard errors the difference of a measurement between the classes is shrunken; by
# simulation 1.5 to 2 attain more than a ridge regression, where few of 40 measurements matter.
SHRINKAGE = 2.0

# The AUCs of the folds share most of their training patients, so their mean varies more than the
# patients of one model would. Measured where nothing can be predicted, 60 to 500 patients: 1.5 to
# 1.7 times the variance.
INFLATION = 1.75

# Fits on the rows that are marked and scores all rows.
Learner = Callable[[Marks], Floats]


@dataclass(frozen=True)
class CrossFit:
    """The score of each image by models without its patient, and the AUC within folds."""

    scores: Floats  # the mean rank over the repeats, between 0 and 1
    auc: Auc | None  # None where there are too few patients


def cross_fit(
    learner: Learner,
    positive: Marks,
    patients: Ints,
    *,
    groups: Ints | None = None,
    weights: Floats | None = None,
    repeats: int = REPEATS,
    seed: int = 0,
) -> CrossFit:
    """Score every image by models that were fitted without its patient.

    Parameters
    ----------
    learner
        Fits on the rows of a mask, and returns the scores of all rows.
    patients
        Numbers of the patients, from 0.
    groups
        If given, AUC counts pairs of the same group alone.
    weights
        Weights of the images in AUC.
    """
    number = len(positive)
    groups = np.zeros(number, np.int64) if groups is None else groups
    total, parts = np.zeros(number), []
    for folds in _folds(patients, repeats, seed):
        scores = _scored(learner, positive, folds)
        if scores is None:
            return CrossFit(np.full(number, 0.5), None)
        total += _ranks(scores, folds)
        parts.append(within.pair_auc(positive, scores, groups * (FOLDS + 1) + folds, weights))
    mean = _mean(parts)
    if not mean.pairs > 0:
        return CrossFit(total / repeats, None)
    strata = Strata(positive.astype(np.int8), patients)
    wider = replace(mean, influence=mean.influence * np.sqrt(INFLATION))
    effects = [INFLATION * effect for effect in strata.design_effects(total)]
    return CrossFit(total / repeats, Auc(wider, strata, effects))


def _folds(patients: Ints, repeats: int, seed: int) -> Iterator[Ints]:
    """Deal the patients out to folds, blind to their labels."""
    rng, number = np.random.default_rng(seed), int(patients.max()) + 1
    for _ in range(repeats):
        yield rng.permutation(np.arange(number) % FOLDS)[patients]


def _scored(learner: Learner, positive: Marks, folds: Ints) -> Floats | None:
    """Score each fold by a model of the others; None where these have one class alone."""
    scores = np.empty(len(positive))
    for fold in np.unique(folds).tolist():
        there = folds == fold
        if len(np.unique(positive[~there])) < 2:
            return None
        scores[there] = learner(~there)[there]
    return scores


def _ranks(scores: Floats, folds: Ints) -> Floats:
    """Rank the scores within each fold, from 0 to 1."""
    ranks = np.empty(len(scores))
    for fold in np.unique(folds).tolist():
        there = folds == fold
        ranks[there] = (stats.rankdata(scores[there]) - 0.5) / there.sum()
    return ranks


def _mean(parts: Sequence[PairAuc]) -> PairAuc:
    """Average the AUCs of the repeats, which judge the same images."""
    known = [part for part in parts if part.pairs > 0]
    if not known:
        return parts[0]
    sizes = np.mean([part.sizes for part in known], axis=0)
    return PairAuc(
        float(np.mean([part.value for part in known])),
        float(np.mean([part.pairs for part in known])),
        np.mean([part.influence for part in known], axis=0),
        (float(sizes[0]), float(sizes[1])),
    )


def by_patient(positive: Marks, patients: Ints) -> Floats:
    """Weigh the images so that each patient counts once in each class."""
    units = patients * 2 + positive
    counts = np.bincount(units)
    return 1.0 / counts[units]


def shrunken_centroids(features: Floats, positive: Marks, patients: Ints) -> Learner:
    """Return a classifier by the distance of class means, where each patient counts once.

    Each measurement enters as its rank and as the square of it, so that its scale does not matter
    and a middle value can be told from both ends. The weight of each is the z of its difference
    between the classes, shrunken towards 0 by `SHRINKAGE`: most measurements carry no cue, and
    their weight is 0 (nearest shrunken centroids; Tibshirani et al. 2002).
    """
    design = _ranked(features)
    weights = by_patient(positive, patients)

    def fitted(rows: Marks) -> Floats:
        weight, labels = weights[rows], positive[rows]
        residual = weight * (labels - np.average(labels, weights=weight))
        part = design[rows]
        spread = np.sqrt((residual**2) @ part**2)
        z = residual @ part / np.maximum(spread, NOTHING)
        shrunken = np.sign(z) * np.maximum(np.abs(z) - SHRINKAGE, 0)
        scores: Floats = design @ (shrunken if shrunken.any() else z)
        return scores

    return fitted


def _ranked(features: Floats) -> Floats:
    """Return ranks and squared ranks of each measurement, standardised; what is unknown is 0."""
    columns = []
    for values in features.T:
        known = np.isfinite(values)
        rank = np.zeros(len(values))
        if known.any():
            rank[known] = 2 * (stats.rankdata(values[known]) - 0.5) / known.sum() - 1
        for column in (rank, rank**2):
            spread = column.std()
            if spread > NOTHING:
                columns.append((column - column.mean()) / spread)
    return np.column_stack(columns) if columns else np.zeros((len(features), 1))


def ranks_within(features: Floats, groups: Ints) -> Floats:
    """Replace each measurement by its rank within its group, from 0 to 1; unknown stays unknown."""
    result = np.full(features.shape, np.nan)
    for group in np.unique(groups).tolist():
        rows = np.flatnonzero(groups == group)
        for k in range(features.shape[1]):
            known = rows[np.isfinite(features[rows, k])]
            if len(known):
                result[known, k] = (stats.rankdata(features[known, k]) - 0.5) / len(known)
    return result


def category(codes: Ints, positive: Marks, patients: Ints) -> Learner:
    """Return the share of positive patients of each value of a column, smoothed by half of one."""
    weights = by_patient(positive, patients)
    number = int(codes.max()) + 1

    def fitted(rows: Marks) -> Floats:
        total = np.bincount(codes[rows], weights[rows], minlength=number)
        there = np.bincount(codes[rows], (weights * positive)[rows], minlength=number)
        whole = there.sum() / total.sum()
        rates: Floats = (there + whole) / (total + 1)
        return rates[codes]

    return fitted


def attainable(
    codes: Ints, positive: Marks, patients: Ints, *, seed: int = 0, repeats: int = REPEATS
) -> CrossFit:
    """Return the AUC that a column alone attains for new patients, each patient counting once."""
    return cross_fit(
        category(codes, positive, patients),
        positive,
        patients,
        weights=by_patient(positive, patients),
        repeats=repeats,
        seed=seed,
    )
