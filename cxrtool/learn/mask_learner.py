"""Training of a network that draws masks: what it learns from, loses, and is judged by."""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxrtool.learn import augmentation, distributed, losses, mask_augmentation
from cxrtool.learn.inference import batches, precision, prepared
from cxrtool.learn.training_loop import Bytes, ImageSet, Learner, mixed

# What happens to the grey levels of an image does not happen to its mask.
STILL = ("brightness", "contrast")


@dataclass(frozen=True)
class MaskedImageSet(ImageSet):
    """The images of one part of the split, and their masks."""

    masks: Bytes = field(default_factory=lambda: np.zeros((0, 1, 1, 1), np.uint8))
    mask_rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def outlines(self, places: NDArray[np.int64]) -> Bytes:
        """Gather some masks (N, S, S), white being 255."""
        masks: Bytes = self.masks[self.mask_rows[places]][:, 0]
        return masks


class MaskLearner(Learner):
    """A network that learns masks; `hard` changes images as other hospitals would, and worse."""

    hard = False

    def drawn(self, epoch: int, number: int) -> dict[str, Tensor]:
        """Draw what is to happen to every image of an epoch."""
        values = super().drawn(epoch, number)
        return values | {"seed": torch.arange(number) + (mixed(self.plan.seed, epoch, 4) >> 24)}

    def lost(self, train: ImageSet, places: NDArray[np.int64], drawn: dict[str, Tensor]) -> Tensor:
        """Return the loss of each image."""
        assert isinstance(train, MaskedImageSet)
        images, masks = self._changed(train, places, drawn)
        return losses.of_masks(self.logits(images)[:, 0], masks.to(self.where))

    def _changed(
        self, train: MaskedImageSet, places: NDArray[np.int64], drawn: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        if self.hard:
            return self._changed_hard(train, places, drawn["seed"])
        images = train.batch(places, self.where).float()
        masks = torch.from_numpy(train.outlines(places)).to(self.where).float()
        if not self.plan.augment.is_none:
            images = augmentation.augmented(images, drawn, self.plan.augment.fill)
            moved = drawn | {name: torch.ones_like(drawn[name]) for name in STILL}
            # What comes in from outside of the image has no lungs.
            masks = augmentation.augmented(masks[:, None], moved, "constant")[:, 0]
        return images, (masks > 127).float()

    def _changed_hard(
        self, train: MaskedImageSet, places: NDArray[np.int64], seeds: Tensor
    ) -> tuple[Tensor, Tensor]:
        pairs = [
            mask_augmentation.changed(image[0], mask > 127, np.random.default_rng(seed))
            for image, mask, seed in zip(
                train.pixels[train.rows[places]],
                train.outlines(places),
                seeds.tolist(),
                strict=True,
            )
        ]
        images = torch.from_numpy(np.stack([image for image, _ in pairs]))[:, None]
        masks = torch.from_numpy(np.stack([mask for _, mask in pairs]))
        return images.to(self.where).float(), masks.float()

    def looked_at(self, part: ImageSet) -> tuple[dict[str, float], None]:
        """Return the loss and the Dice, each the mean over the images of a part."""
        assert isinstance(part, MaskedImageSet)
        self.network.eval()
        plan, scores = self.plan, []
        mine = np.arange(len(part))[distributed.part(len(part))]
        with torch.inference_mode(), precision(self.where, plan.amp):
            for step in batches(len(mine), plan.batch):
                images = part.batch(mine[step], self.where)
                logits = self.network(prepared(images, plan.mean, plan.std))[:, 0].float()
                truth = torch.from_numpy(part.outlines(mine[step]) > 127).to(self.where)
                each = losses.of_masks(logits, truth.float()), dice(logits > 0, truth)
                scores.append(torch.stack(each, dim=1).double().cpu())
        rows = torch.cat(scores).numpy() if scores else np.zeros((0, 2))
        loss, score = distributed.interleaved(rows, len(part)).mean(axis=0).tolist()
        return {"loss": loss, "dice": score}, None


def dice(mask: Tensor, truth: Tensor) -> Tensor:
    """Return twice what is in both over the sum of both, of every mask; 1 where both are empty."""
    both, total = (mask & truth).sum((1, 2)), mask.sum((1, 2)) + truth.sum((1, 2))
    return torch.where(total > 0, 2 * both / total.clamp(min=1), 1.0)
