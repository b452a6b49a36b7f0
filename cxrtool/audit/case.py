"""What the audit knows of each image: its label, patient, columns, and the scores of each model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cxrtool.files.text_columns import Coded
from cxrtool.stats.metrics import Floats, Ints
from cxrtool.stats.within import Marks

if TYPE_CHECKING:
    from cxrtool.audit.audited_run import AuditedRun

FORMAT, SIZE, AGE_BAND = "format", "size", "age band"
# Columns by which images are known to be the same, or of the same patient.
IDENTITIES = ("patient", "sha256", "dup_group")
LEARNED, HELD_OUT = ("train", "val"), ("test", "unseen")
# Of more models, the first are named.
NAMED = 6


@dataclass(frozen=True)
class ModelScores:
    """The predictions of one model for some rows."""

    name: str
    rows: Ints
    scores: Floats  # the probability of the positive class
    predicted: Ints  # 1 if the table names the positive class, 0 another, -1 none
    # What was done to its images before, as their rows say; None if that differs between them.
    preprocessing: str | None = ""


@dataclass(frozen=True)
class ImageRows:
    """The images: one entry each."""

    paths: Callable[[int], str]
    positive: Ints  # 1, 0, or -1 where the label is unknown or of no class that is judged
    patients: Ints  # numbers from 0; an image without a patient is one of its own
    identities: dict[str, Ints]  # digests, 0 where unknown
    columns: dict[str, Coded]
    of_manifest: Marks

    def __len__(self) -> int:
        return len(self.positive)

    def known(self, column: str) -> Marks:
        """Mark the rows where a column has a value."""
        return ~self.columns[column].isin([""])

    def has(self, column: str) -> bool:
        """Tell whether a column has any value."""
        return column in self.columns and bool(self.known(column).any())


@dataclass(frozen=True)
class Case:
    """All that the checks read."""

    images: ImageRows
    models: list[ModelScores]
    positive: str
    negatives: list[str]
    margin: float = 0.05
    seed: int = 0
    within: tuple[str, ...] = ()  # columns of --within
    manifest: str = ""
    run: str = ""
    root: str = ""
    # Of the predictions: images that the manifest lacks, other labels than in the manifest, and
    # rows of training and validation images, which are not judged.
    unmatched: int = 0
    relabelled: int = 0
    learned: int = 0
    family: list[str] = field(default_factory=list)
    # The run's recipe on images without the lungs, and these images; None unless asked for.
    without_lungs: tuple[ImageRows, ModelScores] | None = None
    # The same with other changes of the images, by their names.
    lungs_out_controls: dict[str, tuple[ImageRows, ModelScores]] = field(default_factory=dict)
    # The run, for checks that ask it again; None without one.
    network: "AuditedRun | None" = None
    # Measures the images of the manifest once: (rows, measurements), None without images.
    measured: Callable[[], Floats | None] = field(default=lambda: None)

    @property
    def judged(self) -> Ints:
        """The rows on which the evidence rests: those of the models, else the held-out ones.

        A manifest without predictions and without held-out rows is judged as a whole.
        """
        if self.models:
            return np.unique(np.concatenate([model.rows for model in self.models]))
        labelled = self.images.positive >= 0
        split = self.images.columns.get("split")
        held_out = labelled & (split is not None and split.isin(HELD_OUT))
        return np.flatnonzero(held_out if held_out.any() else labelled)

    @property
    def strata(self) -> list[str]:
        """The columns within which AUC is computed for the verdict; of the age, its bands."""
        columns = [AGE_BAND if column == "age" else column for column in self.within]
        return list(dict.fromkeys(["source", "view", *columns]))

    @property
    def judges(self) -> str:
        """Name the models in a sentence: a name may be a number, such as 0."""
        names = [f"'{model.name}'" for model in self.models]
        if len(names) > NAMED:
            names = [*names[:NAMED], f"and {len(names) - NAMED} more"]
        return f"the model{'s' * (len(self.models) > 1)} {', '.join(names)}"

    def title(self, check: str, model: ModelScores) -> str:
        """Name the row of a check; the model is named where there are several."""
        return f"{check} ({model.name})" if len(self.models) > 1 else check
