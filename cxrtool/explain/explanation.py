"""A run that says why: its prediction for an image, and the heat map of a class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.files.run_record import About
from cxrtool.learn.architectures._network import Branch, Maps, Network
from cxrtool.learn.findings import ANSWERS, Truth
from cxrtool.learn.inference import Model, finite, prepared
from cxrtool.learn.losses import log_probabilities

Row = dict[str, str]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

# Classes that are chosen anew for every image.
BY_IMAGE = ("predicted", "label")
# What is predicted where a finding is not, or is.
ABSENT, PRESENT = ANSWERS


class Sight(Network):
    """The network of a run, for images in grey levels.

    It keeps the maps of the last batch, as a heat map begins with those of the prediction. Of
    several independent findings it has the output of one (`only`): a sigmoid unit.
    """

    def __init__(
        self,
        network: Network,
        about: About,
        branch: Branch | None = None,
        only: int | None = None,
    ) -> None:
        self.units = slice(None) if only is None else slice(only, only + 1)
        outputs = network.outputs if only is None else 1
        super().__init__(outputs, network.channels, network.size)
        self.network, self.about, self.branch = network, about, branch
        self.seen = branch.channels if branch else slice(None)
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
        return self.network.head(maps)[:, self.units]

    def cam_map(self, maps: Maps) -> Tensor:
        """Return the map, or that of the branch."""
        if self.branch is None:
            return self.network.cam_map(maps)
        grid: Tensor = maps[self.branch.number]
        return grid

    def cam_weights(self) -> Tensor | None:
        """Return Zhou's weights."""
        weights = self.network.cam_weights()
        return weights if weights is None else weights[self.units]


@dataclass(frozen=True)
class Explanation:
    """A heat map, the class that it explains with its score, and the predicted class.

    The method is that of the network that was asked, and `fit` how that network frames an image.
    """

    pred: str
    of: str
    score: float
    map: NDArray[np.float32]
    method: str
    fit: str


class Chooser:
    """Which class is looked for in an image: one that is named, the predicted one, or its label."""

    of: str
    # The classes that may be looked for.
    known: list[str]

    def of_row(self, row: Row) -> str:
        """Name the class that a row is looked at for; empty where it is the predicted one."""
        if self.of == "label":
            return row.get("label", "")
        return "" if self.of == "predicted" else self.of

    def truth_of(self, row: Row) -> str:
        """Return what the prediction of a row is compared with; empty where nobody says it."""
        return row.get("label", "")

    def refused(self, row: Row) -> Skip | None:
        """Refuse a row whose label is asked for, and is no class of the run."""
        label = row.get("label", "")
        if self.of != "label" or label in self.known:
            return None
        what = f"its label '{label}' is no class of the run" if label else "it has no label"
        return Skip(row["path"], what, "Name one with --class, or map the label.")


class Explainer(Chooser):
    """A method, a run, and the class that is looked for; `notes` say what else is done instead."""

    def __init__(self, model: Model, spec: str, of: str, branch: str | None = None) -> None:
        self.abouts, self.folder, self.of = (model.about,), model.folder, of
        self.name, self.fit = model.name, model.about.fit
        self.classes = self.known = list(model.about.classes)
        if not isinstance(model.network, Network):
            raise ValueError("a network that draws masks does not look for a class")
        part = branch_of(model.network, model.about.arch, branch) if branch else None
        only = self._only(of)
        self.sight = Sight(model.network, model.about, part, only).eval()
        self.device, self.notes = model.device, list[str]()
        name, plugin, given = registry.load("heatmaps", spec, "heatmap")
        if hasattr(plugin, "is_defined") and not plugin.is_defined(self.sight):
            self.notes.append(
                f"{name} is not defined for {model.about.arch}, whose map is not all that its last "
                f"layer sees: {plugin.INSTEAD} is used"
            )
            name, plugin, given = registry.load("heatmaps", plugin.INSTEAD, "heatmap")
        options = ",".join(
            f"{key.replace('_', '-')}={registry.Option.typed(v)}" for key, v in given.items()
        )
        part_of = f" of {branch}" if branch else ""
        self.method = f"{name}:{options}".rstrip(":") + part_of
        self.steps = registry.canonical(name, plugin.heatmap, given) + part_of
        self.alone = getattr(plugin, "ALONE", False)
        self.signed = getattr(plugin, "SIGNED", False)
        self.asks_only = getattr(plugin, "ASKS_ONLY", False)
        self._heatmap, self._given = plugin.heatmap, given

    def _only(self, of: str) -> int | None:
        """Check the class; of a run whose outputs are apart, return the place of its output."""
        registry.choose("--class", of, [*BY_IMAGE, *self.classes])
        return None

    def look(self, images: Bytes, wanted: Sequence[str]) -> list[Explanation]:
        """Predict images (N, channels, size, size), and find what speaks for a class in each."""
        given = self.tensor(images)
        chances = self.chances(given)
        preds = [int(p.argmax()) for p in chances]
        classes = [
            self.classes.index(name) if name else pred
            for name, pred in zip(wanted, preds, strict=True)
        ]
        return [
            self.explanation(self.classes[pred], k, float(p[k]), one)
            for pred, k, p, one in zip(
                preds, classes, chances, self.maps(given, classes), strict=True
            )
        ]

    def look_framed(self, framed: Sequence[Bytes], wanted: Sequence[str]) -> list[Explanation]:
        """Do the same with images that were framed for every network there is: for this one."""
        return self.look(framed[0], wanted)

    def tensor(self, images: Bytes) -> Tensor:
        """Put images on the device."""
        return torch.from_numpy(images).to(self.device).float()

    @torch.no_grad()
    def chances(self, images: Tensor) -> Floats:
        """Return the probability of every class (N, K)."""
        logits = finite(self.sight(images).float(), self.folder, "outputs")
        result: Floats = log_probabilities(logits).exp().double().cpu().numpy()
        return result

    def maps(self, images: Tensor, classes: Sequence[int]) -> NDArray[np.float32]:
        """Return the heat of a class in each image."""
        asked = torch.tensor(classes, device=self.device)
        maps = self._heatmap(self.sight, images, asked, **self._given)
        result: NDArray[np.float32] = maps.float().cpu().numpy()
        return result

    def explanation(
        self, pred: str, of: int, score: float, one: NDArray[np.float32]
    ) -> Explanation:
        """Put together what was found of one image."""
        return Explanation(pred, self.classes[of], score, one, self.method, self.fit)


class FindingExplainer(Explainer):
    """One finding of a run whose findings are there or not, independently."""

    def _only(self, of: str) -> int:
        if of not in self.classes:
            what = f"{self.folder}: predicts independent findings, and '{of}' is none of them"
            raise CxrtoolError(what, f"Name one with --class: {', '.join(self.classes)}.")
        self._truth, self._place = Truth(self.classes), self.classes.index(of)
        self.classes = self.known = [ABSENT, of]
        return self._place

    def truth_of(self, row: Row) -> str:
        """Say whether the finding is in the list of the row, whose label is of other things."""
        answer = self._truth.of(row)[self._place]
        return self.of if answer == PRESENT else answer


def explainer(model: Model, spec: str, of: str, branch: str | None = None) -> Explainer:
    """Return what explains a run: a classifier, or a finding."""
    kind = FindingExplainer if model.about.task == "findings" else Explainer
    return kind(model, spec, of, branch)


def branch_of(network: Network, arch: str, name: str) -> Branch:
    """Find a branch of a network by its name."""
    branches = network.map_parts()
    if not branches:
        what = f"--branch has no effect: {arch} has no branches"
        raise CxrtoolError(what, "Leave it out.")
    registry.choose("--branch", name, list(branches))
    return branches[name]
