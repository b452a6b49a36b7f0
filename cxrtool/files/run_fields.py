"""The types of the fields of run.json and of a run's last state, and messages for wrong values.

Fields that a later version has added pass. Bounds are those of what a network can be, so that no
number of a file costs memory or time by itself.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field, Strict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from cxrtool.core.errors import shortened

MOST_TEXT, MOST_CLASSES, MOST_SIZE = 10_000, 1000, 4096
MOST_EPOCHS, MOST_BATCH, MOST_TRIED = 1_000_000, 1_000_000, 10_000
# Grey levels are scaled in single precision, which overflows beyond.
MOST_LEVEL, LEAST_SPREAD, LEAST_TEMPERATURE = 1e6, 1e-6, 1e-3

Text = Annotated[str, Strict(), Field(max_length=MOST_TEXT)]
Integer = Annotated[int, Strict(), Field(ge=-(2**63), lt=2**63)]
Count = Annotated[int, Strict(), Field(ge=0, lt=2**53)]
Finite = Annotated[float, Strict(), Field(allow_inf_nan=False, ge=-1e300, le=1e300)]
Number = Count | Finite
Epoch = Annotated[int, Strict(), Field(ge=0, le=MOST_EPOCHS)]
Batch = Annotated[int, Strict(), Field(ge=1, le=MOST_BATCH)]
Size = Annotated[int, Strict(), Field(ge=1, le=MOST_SIZE)]
Classes = Annotated[list[Text], Field(min_length=1, max_length=MOST_CLASSES)]
Level = Annotated[float, Strict(), Field(allow_inf_nan=False, ge=-MOST_LEVEL, le=MOST_LEVEL)]
Spread = Annotated[float, Strict(), Field(allow_inf_nan=False, ge=LEAST_SPREAD, le=MOST_LEVEL)]
Share = Annotated[float, Strict(), Field(allow_inf_nan=False, ge=0, le=1)]
Temperature = Annotated[
    float,
    Strict(),
    Field(allow_inf_nan=False, ge=LEAST_TEMPERATURE, le=1 / LEAST_TEMPERATURE),
]
Rate = Annotated[float, Strict(), Field(allow_inf_nan=False, ge=0, lt=1000)]
# A rate of a range test, and the loss at it.
Tried = Annotated[list[Finite], Field(min_length=2, max_length=2)]
Digest = Annotated[str, Strict(), Field(pattern="^([0-9a-f]{64})?$")]
Figures = dict[Text, Number | None]
Schedule = dict[Text, Number]
Options = dict[Text, Any]


class Best(TypedDict, total=False):
    """The best epoch, and its figures."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    epoch: Epoch
    loss: Number | None
    lr: Rate
    val_loss: Number | None
    val_accuracy: Share | None
    val_balanced_accuracy: Share | None
    val_auc: Share | None
    val_dice: Share | None


class DataAbout(TypedDict, total=False):
    """What the run learned from."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    manifest: Text
    sha256: Digest
    train: dict[Text, Count]
    val: dict[Text, Count]


class PredictedBy(TypedDict):
    """How well a column alone predicts the label."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    label: Text  # the class against all others; empty where there are two
    auc: Share
    low: Share
    high: Share


class LabelTrapsAbout(TypedDict, total=False):
    """What gives the label away in the images that the run learned from."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    one_source: dict[Text, Text]
    predicted_by: dict[Text, PredictedBy]


class Last(TypedDict):
    """What an interrupted run continues from, besides its tensors."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    epoch: Epoch
    waited: Epoch
    best: Figures
    history: list[Figures]
    schedule: Schedule
    key: Text


class LastChosen(TypedDict, total=False):
    """Fields of the last state that exist only where the run chose their value."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    batch: Batch
    rate: Rate
    rates: Annotated[list[Tried], Field(max_length=MOST_TRIED)]
    columns: list[Text]


# How Pydantic names a mistake, and how a person would.
WORDS = {
    "missing": "is missing",
    "string_type": "is not a text",
    "string_unicode": "is not a text",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "is not a digest",
    "int_type": "is not a whole number",
    "float_type": "is not a number",
    "finite_number": "is not a number",
    "list_type": "is not a list",
    "dict_type": "is not an object",
    "too_short": "has fewer than {min_length} items",
    "too_long": "has more than {max_length} items",
    "greater_than_equal": "is below {ge}",
    "less_than_equal": "is above {le}",
    "less_than": "is not below {lt}",
}


def mistake(kind: Any, value: Any) -> str:
    """Say what is wrong with a value of a type, in a few words; nothing if it is right."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as e:
        return _in_words(e)
    except OverflowError:
        return "it has a number that is too large"
    return ""


def _in_words(e: ValidationError) -> str:
    # Of a choice of types every branch is listed; the first is named.
    about = e.errors(include_url=False, include_input=False)[0]
    words = WORDS.get(about["type"], about["msg"].lower()).format(**about.get("ctx", {}))
    return f"its {_place(about['loc'])} {words}"


def _place(location: tuple[int | str, ...]) -> str:
    """Write where a field is, without the names of the types that Pydantic tried."""
    tried = ("int", "float", "constrained-int", "constrained-float")
    parts = [str(part) for part in location]
    if len(parts) > 1 and (parts[-1] in tried or "[" in parts[-1]):
        parts.pop()
    return shortened(".".join(parts))


def last_mistake(state: Mapping[str, Any]) -> str:
    """Say what is wrong with a last state: the types of its fields, or how they fit together."""
    wrong = mistake(Last, state) or mistake(LastChosen, state)
    if wrong:
        return wrong
    epoch, history, best = state["epoch"], state["history"], state["best"]
    if [row.get("epoch") for row in history] != list(range(1, epoch + 1)):
        return f"its history is not one of {epoch} epochs"
    if state["waited"] > epoch:
        return f"its waited {state['waited']} is more than its {epoch} epochs"
    if epoch and best.get("epoch") not in range(1, epoch + 1):
        return f"its best.epoch is not one of its {epoch} epochs"
    # What is written again of the history has these columns.
    columns = state.get("columns", [])
    fit = all(set(row) <= {*columns} for row in history) or not columns
    if len(set(columns)) < len(columns) or not fit:
        return "its columns are not those of its history"
    return ""
