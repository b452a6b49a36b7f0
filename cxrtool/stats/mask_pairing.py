"""Share of heat in the mask of the same image, beside that in the masks of other patients."""

from dataclasses import dataclass, replace

import numpy as np

from cxrtool.stats import paired_shift
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.paired_shift import Mean


@dataclass(frozen=True)
class MaskShares:
    """Mean shares of the heat, and their difference by patient."""

    images: int  # that have heat and a mask, and other patients to compare with
    own: float
    others: float
    difference: Mean


def paired(heat: Floats, masks: Floats, patients: Ints) -> MaskShares:
    """Compare the heat in an image's own mask with that in the masks of other patients.

    Lungs are in the middle of all radiographs, and so is the heat of most networks: a large share
    in the own mask says little by itself. If the heat follows the lungs of this image, the share
    is larger than in the masks of others.

    Parameters
    ----------
    heat
        Heat maps (N, P); what is negative is no heat. Maps without heat are left out.
    masks
        Shares of each place that are lung (N, P). Empty masks are left out.
    patients
        Group numbers (N,).

    Notes
    -----
    The difference is a mean over pairs of images, so that the influence of an image is that of its
    map less that of its mask in the pairs (Hoeffding 1948).
    """
    warm = np.maximum(heat, 0)
    total = warm.sum(axis=1)
    kept = (total > 0) & (masks.sum(axis=1) > 0)
    warm, masks, patients = warm[kept] / total[kept, None], masks[kept], patients[kept]
    share = warm @ masks.T
    other = patients[:, None] != patients
    if not len(share) or not other.any(axis=1).all():
        return MaskShares(0, np.nan, np.nan, Mean(np.nan, np.nan, 0.0))
    crossed = np.where(other, share, 0.0)
    of_map = crossed.sum(axis=1) / other.sum(axis=1)
    of_mask = crossed.sum(axis=0) / other.sum(axis=0)
    own = np.diagonal(share)
    difference = paired_shift.mean(own - of_map - of_mask, patients)
    value = float(own.mean() - of_map.mean())
    return MaskShares(
        len(share), float(own.mean()), float(of_map.mean()), replace(difference, value=value)
    )
