"""From a manifest with masks to a run that draws them."""

from cxrtool.core import choices
from cxrtool.files.manifest import Manifest
from cxrtool.learn import augmentation, inference, training_data
from cxrtool.learn.architectures._network import Net
from cxrtool.learn.mask_learner import MaskLearner
from cxrtool.learn.trainer import Training
from cxrtool.learn.training_data import Data, OnSkip, Reader
from cxrtool.learn.training_loop import ImageSet, Learner, TrainingPlan


class MaskTraining(Training):
    """One run of a network that draws masks."""

    task = "segment"
    monitors = choices.MONITORS[task]
    shown = ("loss", "val_loss", "val_dice")
    final = ("val_dice",)
    criterion = "ce of the pixels + 1 - Dice"

    def read(self, source: Manifest, on_skip: OnSkip) -> Data:
        """Read the rows that are learned from and looked at."""
        return training_data.outlined(source, self.settings.fold, on_skip)

    def built(self) -> Net:
        """Build the network."""
        return inference.drawing(self.settings.arch, self.settings.channels, self.settings.size)

    def augmentation(self) -> augmentation.Augmentation:
        """Read what is to happen to the images."""
        return augmentation.parse("" if self.is_hard else self.settings.augment)

    @property
    def is_hard(self) -> bool:
        """Whether images are changed as other hospitals would change them, and more."""
        return self.settings.augment == "hard"

    def loaded(self, reader: Reader) -> tuple[ImageSet, ImageSet | None]:
        """Read the pixels of images and masks."""
        return reader.outlined_parts(self.data)

    def learner(self, plan: TrainingPlan) -> Learner:
        """Make what learns by a plan."""
        learner = MaskLearner(self.network, self.optimizer, plan, self.place.device)
        learner.hard = self.is_hard
        return learner
