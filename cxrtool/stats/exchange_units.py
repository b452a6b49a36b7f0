"""What a permutation test exchanges: the images of one patient with one value are one unit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]


@dataclass(frozen=True)
class Units:
    """Images grouped by patient and value; every patient weighs 1, shared among its units."""

    of: Ints  # the unit of every image
    patient: Ints  # the patient of every unit, numbered from 0
    value: Ints  # the value of every unit, numbered from 0
    weights: Floats  # of the images

    @property
    def patients(self) -> int:
        """How many patients there are."""
        return int(self.patient.max()) + 1


def units(values: Ints, patients: Ints) -> Units:
    """Group images by their patient and value (both numbered from 0)."""
    classes = int(values.max()) + 1
    pairs, of, images = np.unique(
        patients * classes + values, return_inverse=True, return_counts=True
    )
    patient, value = pairs // classes, pairs % classes
    patient = np.unique(patient, return_inverse=True)[1]
    share = 1 / np.bincount(patient)[patient] / images
    return Units(of, patient, value, share[of])


def permuted(units: Units, number: int, rng: np.random.Generator) -> Ints:
    """Return the values of the units (number, units) after random exchanges between patients.

    Patients with as many values exchange them, and a patient with several deals its own out to
    its units anew. These exchanges form a group that leaves the images, their weights and the
    numbers of each value as they are. So where values have nothing to do with images, every
    exchange is as likely as what was observed.
    """
    result = np.empty((number, len(units.value)), np.int32)
    counts = np.bincount(units.patient)
    order = np.argsort(units.patient, kind="stable")
    starts = np.cumsum(counts) - counts
    for several in np.unique(counts):
        # (patients, several): the units of those who have so many.
        there = order[starts[counts == several][:, None] + np.arange(several)]
        donors = np.tile(np.arange(len(there)), (number, 1))
        values = units.value[there][rng.permuted(donors, axis=1)]
        result[:, there] = rng.permuted(values, axis=2) if several > 1 else values
    return result


def arrangements(units: Units) -> float:
    """Return the logarithm of how many different exchanges there are."""
    from scipy.special import gammaln

    counts, total = np.bincount(units.patient), 0.0
    for several in np.unique(counts):
        of_them = counts[units.patient] == several
        sets = units.value[of_them][np.argsort(units.patient[of_them], kind="stable")]
        sets = np.sort(sets.reshape(-1, several), axis=1)
        same = np.unique(sets, axis=0, return_counts=True)[1]
        orders = len(sets) * gammaln(several + 1)
        total += gammaln(len(sets) + 1) - gammaln(same + 1).sum() + orders
    return float(total)
