"""Two runs that decide level by level, and say why: the second subdivides a class of the first."""

from collections.abc import Sequence

import numpy as np

from cxrtool.core import registry
from cxrtool.explain.explanation import BY_IMAGE, Bytes, Chooser, Explainer, Explanation
from cxrtool.learn.inference import Model
from cxrtool.learn.prediction import PredictionSettings, Predictor

# As evaluate decides between the two classes of the first level.
THRESHOLD = 0.5


class Cascade(Chooser):
    """The networks of a hierarchy; each explains the classes that it decides on.

    The first run explains its two classes. Its second class is only a group: the second run divides
    it, and explains the classes of that group.
    """

    def __init__(
        self, first: Model, second: Model, spec: str, of: str, branch: str | None = None
    ) -> None:
        self.predictor = Predictor([first], second, PredictionSettings())
        self.first, self.second = (
            Explainer(model, spec, "predicted", branch) for model in (first, second)
        )
        self.classes, self.name = self.predictor.classes, self.predictor.name
        divided = [name for name in self.predictor.first if name not in self.classes]
        self.known, self.of = [*self.classes, *divided], of
        registry.choose("--class", of, [*BY_IMAGE, *self.known])
        both = (self.first, self.second)
        self.abouts = (first.about, second.about)
        self.notes = [text for one in both for text in one.notes]
        self.method = " and ".join(dict.fromkeys(one.method for one in both))
        self.steps = " ".join(one.steps for one in both)
        self.alone = any(one.alone for one in both)
        self.signed = all(one.signed for one in both)
        self.asks_only = any(one.asks_only for one in both)

    def look_framed(self, framed: Sequence[Bytes], wanted: Sequence[str]) -> list[Explanation]:
        """Predict images, framed for each network, and find what speaks for a class in each."""
        levels = (self.first, self.second)
        images = [one.tensor(seen) for one, seen in zip(levels, framed, strict=True)]
        chances = [one.chances(given) for one, given in zip(levels, images, strict=True)]
        together = np.concatenate(chances, axis=1)
        preds = [self.classes[k] for k in self.predictor.decisions(together, THRESHOLD)]
        scores = self.predictor.probabilities(together)
        asked = [name or pred for name, pred in zip(wanted, preds, strict=True)]
        places = [self._place(name) for name in asked]
        maps = [
            # Of all images, even those of the other level: a batch of another size is rounded in
            # another way.
            one.maps(given, [k if at == level else 0 for at, k in places])
            if any(at == level for at, _ in places)
            else None
            for level, (one, given) in enumerate(zip(levels, images, strict=True))
        ]
        result = []
        for n, (name, (level, k)) in enumerate(zip(asked, places, strict=True)):
            drawn = maps[level]
            assert drawn is not None
            known = name in self.classes
            score = scores[n, self.classes.index(name)] if known else chances[0][n, 1]
            result.append(levels[level].explanation(preds[n], k, float(score), drawn[n]))
        return result

    def _place(self, name: str) -> tuple[int, int]:
        """Return the level that decides on a class, and its number there."""
        below = self.second.classes
        return (1, below.index(name)) if name in below else (0, self.first.classes.index(name))
