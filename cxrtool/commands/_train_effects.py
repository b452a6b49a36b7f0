"""Which options of train have no effect in a call, and why; `effects` refuses them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cxrtool.learn.trainer import Training

# A network that draws masks has classes, a loss and a shape of its own.
OF_LABELS = ("--classes", "--loss", "--class-weights", "--label-smoothing", "--fit")
# A support vector machine finds the last layer at once, and nothing else learns.
OF_EPOCHS = (
    "--loss",
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


def before_reading(task: str, weights: str) -> dict[str, str]:
    """Say why options have no effect, before the manifest is read."""
    masks = "--task segment learns masks" if task == "segment" else ""
    none = "there are no --weights to begin with" if weights == "none" else ""
    return {**dict.fromkeys(OF_LABELS, masks), "--first-layer": none}


def before_learning(training: "Training") -> dict[str, str]:
    """Say why options have no effect on a run whose rows are read and whose network is built."""
    network, settings = training.network, training.settings
    svm = f"{settings.arch} is solved at once, by a support vector machine"
    no_val = "" if training.data.val else "there is no validation part"
    still = training.augment.is_none and settings.augment not in ("", "none", "hard")
    return {
        **dict.fromkeys(OF_EPOCHS, svm if network.by_svm else ""),
        **({} if network.by_svm else dict.fromkeys(("--patience", "--monitor"), no_val)),
        **({"--augment": "nothing in it changes an image"} if still else {}),
        "--first-layer": "the network takes three channels" if network.channels == 3 else "",
    }
