"""A network that learns several findings at once, each a sigmoid unit of its own."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxrtool.learn import losses
from cxrtool.learn.training_loop import ImageSet, Learner
from cxrtool.stats import metrics

Floats = NDArray[np.float64]


class FindingsLearner(Learner):
    """Learns from answers (N, findings): 0 absent, 1 present, -1 unknown."""

    def criterion(self, logits: Tensor, labels: NDArray[np.int64]) -> Tensor:
        """Return the loss of each image; class weights are those of images with the finding."""
        answers = torch.from_numpy(labels).to(self.where)
        weights = self.plan.weights
        return losses.of_findings(
            logits, answers, None if weights is None else weights.to(self.where)
        )

    def logs(self, logits: Tensor) -> Tensor:
        """Return log p of each finding."""
        return torch.nn.functional.logsigmoid(logits)

    def looked_at(self, part: ImageSet) -> tuple[dict[str, float], None]:
        """Return the loss and the mean AUC of a part."""
        logs, lost = self.judged(part)
        return {"loss": float(lost.mean()), "auc": mean_auc(part.labels, logs)}, None


def mean_auc(answers: NDArray[np.int64], scores: Floats) -> float:
    """Return the mean AUC over the findings with both answers; nan if there is none."""
    known = [answers[:, k] >= 0 for k in range(answers.shape[1])]
    each = [
        metrics.auc(answers[rows, k] == 1, scores[rows, k])
        for k, rows in enumerate(known)
        if len(np.unique(answers[rows, k])) == 2
    ]
    return float(np.mean(each)) if each else float("nan")
