"""A support vector machine on the deep features of a network, as Sethy et al. (2020) use it.

A linear one is a linear layer: what it finds becomes the network's last, so that a run of it is
read, explained and compared like any other.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxrtool.learn import distributed, losses
from cxrtool.learn.architectures._network import Network
from cxrtool.learn.inference import batches, precision, prepared
from cxrtool.learn.training_loop import ImageSet, Learner, mixed

Floats = NDArray[np.float64]

# The penalty of an image on the wrong side, on features of spread 1.
PENALTY = 1.0
ROUNDS = 20_000


class SvmLearner(Learner):
    """A network of which nothing but the last layer learns, all at once."""

    def learn(
        self, number: int, train: ImageSet, tick: Callable[[int], object]
    ) -> tuple[float, float]:
        """Find the last layer: the loss afterwards, and no rate."""
        features = self._features(train, tick)
        weights = None if self.plan.weights is None else self.plan.weights.cpu().numpy()
        seed = mixed(self.plan.seed, number, 1) % 2**32
        coefficients, bias = solved(features, train.labels, self.classes, weights, seed)
        last = self.network.final()
        assert isinstance(last, nn.Linear)
        if last.out_features == 1:
            coefficients, bias = coefficients[1:] - coefficients[:1], bias[1:] - bias[:1]
        with torch.no_grad():
            last.weight.copy_(torch.from_numpy(coefficients))
            last.bias.copy_(torch.from_numpy(bias))
        return float(self.judged(train)[1].mean()), 0.0

    def criterion(self, logits: Tensor, labels: NDArray[np.int64]) -> Tensor:
        """Return the cross-entropy: what the machine minimises is no loss of probabilities."""
        hot = losses.targets(torch.from_numpy(labels).to(self.where), self.classes, 0)
        return losses.cross_entropy(logits, hot)

    def _features(self, part: ImageSet, tick: Callable[[int], object]) -> Floats:
        network, plan, vectors = self.network.eval(), self.plan, []
        assert isinstance(network, Network)
        mine = np.arange(len(part))[distributed.part(len(part))]
        with torch.inference_mode(), precision(self.where, plan.amp):
            for step in batches(len(mine), plan.batch):
                images = part.batch(mine[step], self.where)
                maps = network.trunk(prepared(images, plan.mean, plan.std))
                vectors.append(network.embed(maps).double().cpu())
                tick((step.stop - step.start) * distributed.processes())
        return distributed.interleaved(torch.cat(vectors).numpy(), len(part))


def solved(
    features: Floats, labels: NDArray[np.int64], classes: int, weights: Floats | None, seed: int
) -> tuple[Floats, Floats]:
    """Find a linear layer (classes, D) and its biases: each class against the rest.

    Of two classes, the margin d of the second is parted among both: the logits are -d/2 and d/2.
    """
    from sklearn.svm import LinearSVC

    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 1e-8, spread, 1.0)
    weigh = None if weights is None else dict(enumerate(weights.tolist()))
    machine = LinearSVC(
        C=PENALTY, class_weight=weigh, dual="auto", max_iter=ROUNDS, random_state=seed
    )
    machine.fit((features - mean) / spread, labels)
    coefficients = machine.coef_ / spread
    bias = machine.intercept_ - coefficients @ mean
    if classes == 2:
        coefficients, bias = (
            np.concatenate([-coefficients, coefficients]) / 2,
            np.concatenate([-bias, bias]) / 2,
        )
    return coefficients, bias
