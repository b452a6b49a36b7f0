"""Which options of train have no effect in a call, and why; `effects` refuses them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cxrtool.learn.trainer import Training

# A network that draws masks has classes, a loss and a shape of its own.
OF_LABELS = (
    "--classes",
    "--loss",
    "--class-weights",
    "--rebalance",
    "--label-smoothing",
    "--fit",
)
# What the loss of classes has, and the binary cross-entropy of findings has not.
OF_CLASSES = ("--loss", "--rebalance", "--label-smoothing")
# A support vector machine finds the last layer at once, and nothing else learns.
OF_EPOCHS = (
    "--loss",
    "--rebalance",
    "--label-smoothing",
    "--optimizer",
    "--schedule",
    "--lr",
    "--epochs",
    "--patience",
    "--monitor",
    "--freeze",
    "--augment",
    "--clip",
    "--compile",
)


# A run of weights alone learns from no image, and reads none.
OF_LEARNING = (
    "--task",
    *(option for option in OF_EPOCHS if option != "--epochs"),
    "--class-weights",
    "--batch",
    "--fold",
    "--repeat",
    "--amp",
    "--log",
    "--where",
)
# What follows the epochs of a training.
AFTER_EPOCHS = ("--schedule", "--patience", "--monitor", "--log")


def before_reading(task: str, weights: str, epochs: int, freeze: str) -> dict[str, str]:
    """Say why options have no effect, before the manifest is read."""
    masks = "--task segment learns masks" if task == "segment" else ""
    entropy = "--task findings learns the binary cross-entropy of each finding"
    none = "there are no --weights to begin with" if weights == "none" else ""
    over = "" if epochs else "no epoch follows"
    return {
        **dict.fromkeys(OF_LABELS, masks),
        **(dict.fromkeys(OF_CLASSES, entropy) if task == "findings" else {}),
        **dict.fromkeys(AFTER_EPOCHS, over),
        "--first-layer": none,
        "--freeze 0": "it keeps no layer from learning" if freeze.strip("0") == "" else "",
    }


def of_weights_alone() -> dict[str, str]:
    """Say why options have no effect on a run that is made of weights alone."""
    return dict.fromkeys(OF_LEARNING, "--epochs 0 makes a run of the weights as they are")


def before_learning(training: "Training") -> dict[str, str]:
    """Say why options have no effect on a run whose rows are read and whose network is built."""
    settings = training.settings
    if training.network.by_svm:
        svm = f"{settings.arch} is solved at once, by a support vector machine"
        idle = dict.fromkeys(OF_EPOCHS, svm)
    else:
        idle = _of_few_epochs(training) | _of_augmentation(training)
    return idle | _of_findings(training) | {"--first-layer": _first_layer(training)}


def _of_findings(training: "Training") -> dict[str, str]:
    """Say that the mean AUC chooses nothing where no finding has one."""
    from cxrtool.learn.findings_data import FindingsData, one_sided

    data = training.data
    if training.settings.monitor != "auc" or not isinstance(data, FindingsData) or not data.val:
        return {}
    none = len(one_sided(data)) == len(data.classes)
    why = "no finding is present in some validation images and absent in others"
    return {"--monitor auc": why} if none else {}


def _of_few_epochs(training: "Training") -> dict[str, str]:
    """Say what needs more epochs, or a validation part."""
    settings, change = training.settings, training.schedule.first_change
    patience, epochs = settings.patience, settings.epochs
    no_val = "" if training.data.val else "there is no validation part"
    # The first epoch is the best so far, and after the last one the training ends anyway.
    late = patience > max(0, epochs - 2)
    waits = "1 epoch" if patience == 1 else f"{patience} epochs"
    over = f"the training is over before {waits} without improvement can end it"
    still = f"the rate would change in epoch {change} at the earliest, the last is epoch {epochs}"
    return {
        "--patience": no_val or (over if late else ""),
        "--monitor": no_val or ("there is one epoch to choose from" if epochs == 1 else ""),
        "--schedule": still if change > epochs else "",
    }


def _of_augmentation(training: "Training") -> dict[str, str]:
    """Say what of --augment changes no image."""
    from cxrtool.learn.augmentation import Augmentation

    chosen, text = training.augment, training.settings.augment
    still = chosen.is_none and text not in ("", "none", "hard")
    no_gap = chosen.fill != Augmentation.fill and not chosen.needs_fill
    inside = "no place outside of an image comes into view"
    return {
        "--augment": "nothing in it changes an image" if still else "",
        f"--augment fill={chosen.fill}": inside if no_gap else "",
    }


def _first_layer(training: "Training") -> str:
    """Say why no layer for colours was changed for grey images."""
    from cxrtool.learn import initial_weights

    if training.network.channels == 3:
        return "the network takes three channels"
    if initial_weights.converts_first(training.began_with):
        return ""
    return f"{training.settings.weights} has no first layer for colour images"
