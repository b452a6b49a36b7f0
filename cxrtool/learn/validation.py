"""The validation part: its metrics, the temperature and the threshold that it gives."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrtool.stats import metrics


def validated(logs: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, float]:
    """Return the figures that epochs are judged by, beside the loss."""
    probabilities = np.exp(logs)
    return {
        "accuracy": metrics.accuracy(labels, probabilities.argmax(axis=1)),
        "balanced_accuracy": metrics.balanced_accuracy(labels, probabilities.argmax(axis=1)),
        "auc": metrics.macro_auc(labels, probabilities),
    }


def calibrated(
    logs: NDArray[np.float64] | None, labels: NDArray[np.int64] | None
) -> dict[str, Any]:
    """Return the temperature that makes probabilities honest, and the threshold that parts best.

    The temperature T divides the logits, so that the log loss is least; the threshold is that of
    Youden's index, the largest sensitivity + specificity.
    """
    if logs is None or labels is None or len(set(labels.tolist())) < 2:
        return {}
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    def lost(power: float) -> float:
        scaled = logs / np.exp(power)
        scaled = scaled - logsumexp(scaled, axis=1, keepdims=True)
        return float(-scaled[np.arange(len(labels)), labels].mean())

    power = minimize_scalar(lost, bounds=(-3, 3), method="bounded").x
    calibration = {"temperature": round(float(np.exp(power)), 6)}
    if logs.shape[1] == 2:
        calibration["threshold"] = metrics.youden(labels == 1, np.exp(logs[:, 1]))
    return calibration
