"""A run that says why: its prediction for an image, and the heat map of a class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxrtool.core import registry
from cxrtool.core.errors import Skip
from cxrtool.core.progress import note
from cxrtool.files.run_folder import About
from cxrtool.learn.architectures._network import Maps, Network
from cxrtool.learn.inference import Model, finite, prepared
from cxrtool.learn.losses import log_probabilities

Row = dict[str, str]

# Classes that are chosen anew for every image.
BY_IMAGE = ("predicted", "label")


class Sight(Network):
    """The network of a run, for images in grey levels.

    It keeps the maps of the last batch, as a heat map begins with those of the prediction.
    """

    def __init__(self, network: Network, about: About) -> None:
        super().__init__(network.outputs, network.channels, network.size)
        self.network, self.about = network, about
        self._last: tuple[Tensor, Maps] | None = None

    def trunk(self, images: Tensor) -> Maps:
        """Return the maps of grey levels."""
        if torch.is_grad_enabled():
            return self.network.trunk(prepared(images, self.about.mean, self.about.std))
        if self._last is None or self._last[0] is not images:
            ready = prepared(images, self.about.mean, self.about.std)
            self._last = images, self.network.trunk(ready)
        return self._last[1]

    def head(self, maps: Maps) -> Tensor:
        """Return the logits."""
        return self.network.head(maps)

    def cam_map(self, maps: Maps) -> Tensor:
        """Return the map."""
        return self.network.cam_map(maps)

    def cam_weights(self) -> Tensor | None:
        """Return Zhou's weights."""
        return self.network.cam_weights()


@dataclass(frozen=True)
class Explanation:
    """A heat map, the class that it explains with its score, and the predicted class."""

    pred: str
    of: str
    score: float
    map: NDArray[np.float32]


class Explainer:
    """A method, a run, and the class that is looked for."""

    def __init__(self, model: Model, spec: str, of: str) -> None:
        self.about, self.folder, self.of = model.about, model.folder, of
        self.classes = list(model.about.classes)
        if not isinstance(model.network, Network):
            raise ValueError("a network that draws masks does not look for a class")
        self.sight, self.device = Sight(model.network, model.about).eval(), model.device
        registry.choose("--class", of, [*BY_IMAGE, *self.classes])
        name, plugin, given = registry.load("heatmaps", spec, "heatmap")
        if hasattr(plugin, "is_defined") and not plugin.is_defined(self.sight):
            note(
                f"{name} is not defined for {model.about.arch}, whose map is not all that its last "
                f"layer sees: {plugin.INSTEAD} is used"
            )
            name, plugin, given = registry.load("heatmaps", plugin.INSTEAD, "heatmap")
        options = ",".join(
            f"{key.replace('_', '-')}={registry.Option.typed(v)}" for key, v in given.items()
        )
        self.method = f"{name}:{options}".rstrip(":")
        self.steps = registry.canonical(name, plugin.heatmap, given)
        self.alone = getattr(plugin, "ALONE", False)
        self._heatmap, self._given = plugin.heatmap, given

    def of_row(self, row: Row) -> str:
        """Name the class that a row is looked at for; empty where it is the predicted one."""
        if self.of == "label":
            return row.get("label", "")
        return "" if self.of == "predicted" else self.of

    def refused(self, row: Row) -> Skip | None:
        """Refuse a row whose label is asked for, and is no class of the run."""
        label = row.get("label", "")
        if self.of != "label" or label in self.classes:
            return None
        what = f"its label '{label}' is no class of the run" if label else "it has no label"
        return Skip(row["path"], what, "Name one with --class, or map the label.")

    def look(self, images: NDArray[np.uint8], wanted: Sequence[str]) -> list[Explanation]:
        """Predict images (N, channels, size, size), and find what speaks for a class in each."""
        given = torch.from_numpy(images).to(self.device).float()
        with torch.no_grad():
            logits = finite(self.sight(given).float(), self.folder, "outputs")
            chances = log_probabilities(logits).exp().double().cpu().numpy()
        preds = [int(p.argmax()) for p in chances]
        classes = [
            self.classes.index(name) if name else pred
            for name, pred in zip(wanted, preds, strict=True)
        ]
        asked = torch.tensor(classes, device=self.device)
        maps = self._heatmap(self.sight, given, asked, **self._given).float().cpu().numpy()
        return [
            Explanation(self.classes[pred], self.classes[k], float(p[k]), one)
            for pred, k, p, one in zip(preds, classes, chances, maps, strict=True)
        ]
