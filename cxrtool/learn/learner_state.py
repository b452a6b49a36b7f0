"""All that a learner has learned, as flat tensors."""

from typing import Any

from cxrtool.learn import optimizers
from cxrtool.learn.training_loop import Learner


def tensors(learner: Learner) -> dict[str, Any]:
    """Return everything that a resumed run needs, as flat tensors."""
    model = {f"model.{k}": v for k, v in learner.network.state_dict().items()}
    return model | {
        f"optimizer.{k}": v for k, v in optimizers.tensors_of(learner.optimizer).items()
    }


def restore(learner: Learner, state: dict[str, Any]) -> None:
    """Give a learner its state back."""
    model = {k.removeprefix("model."): v for k, v in state.items() if k.startswith("model.")}
    learner.network.load_state_dict(model)
    rest = {k.removeprefix("optimizer."): v for k, v in state.items() if k.startswith("optimizer.")}
    optimizers.restore(learner.optimizer, rest)
