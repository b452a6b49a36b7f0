"""The errors that a user may see, and the exit codes."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes, as the manual lists them."""

    DONE = 0
    SOME_INPUTS_FAILED = 1
    NOTHING_DONE = 2
    BROKE_MIDWAY = 3
    INTERRUPTED = 130
    CLOSED_PIPE = 141
    TERMINATED = 143


class CxrtoolError(Exception):
    """A mistake that ends the run: what is wrong, and what to do about it.

    `what` is kept without the remedy, which the command line may replace by a better one.

    `settings` are the parameters of the command that may be changed, or `name=value` with the value
    to give; the command line adds their options to the message.
    """

    code = ExitCode.NOTHING_DONE

    def __init__(self, what: str, remedy: str = "", *, settings: Iterable[str] = ()) -> None:
        super().__init__(f"{what}. {remedy}".rstrip() if remedy else what)
        self.what, self.settings = what, tuple(settings)


class BrokenRun(CxrtoolError):
    """The run broke midway for a reason outside its inputs; a re-run goes on from there."""

    code = ExitCode.BROKE_MIDWAY


class FailedInput(CxrtoolError):
    """An input failed, and `--strict` lets none fail."""


# How CUDA, PyTorch, oneDNN and OpenCV word it; OpenCV's own error is no RuntimeError.
FULL = (
    "out of memory",
    "can't allocate memory",
    "could not create a primitive",
    "Insufficient memory",
)


def is_memory(e: BaseException) -> bool:
    """Whether an error means that this machine, or its accelerator, is out of memory."""
    worded = isinstance(e, RuntimeError) or type(e).__module__ == "cv2"
    said = worded and any(words in str(e) for words in FULL)
    return isinstance(e, MemoryError) or said


# How CUDA words that an accelerator has failed, and not the program (cudaGetErrorString).
LOST = (
    "uncorrectable ECC error",
    "unspecified launch failure",
    "hardware stack error",
    "busy or unavailable",
    "launch timed out",
    "CUDA error: unknown error",
)


def is_lost_device(e: BaseException) -> bool:
    """Whether an error means that an accelerator has failed."""
    return isinstance(e, RuntimeError) and any(words in str(e) for words in LOST)


class Terminated(BaseException):
    """SIGTERM arrived: clusters send it shortly before they kill."""


class Interrupted(KeyboardInterrupt):
    """SIGINT arrived: Ctrl-C was pressed."""


@dataclass(frozen=True)
class Skip:
    """One input that does not reach the output.

    `failed` is true for an input that should have worked (a damaged file), and false for one that
    a rule or an option leaves out (a CT slice, a lateral view). Only the first makes the exit
    code 1.
    """

    path: str
    reason: str
    remedy: str = ""
    failed: bool = True


@dataclass(frozen=True)
class NoImage(Skip):
    """A file beside the images that neither claims to be one nor begins like one.

    Such files are counted, and listed with -v; a collection's own tables are among them.
    """

    reason: str = "it is not an image"
    failed: bool = False


class Unreadable(ValueError):
    """A file that is no usable image: why, and what to do (see `Skip` for `failed`)."""

    def __init__(
        self, reason: str, remedy: str = "Repair or remove it.", failed: bool = True
    ) -> None:
        super().__init__(reason, remedy, failed)
        self.reason, self.remedy, self.failed = reason, remedy, failed


def one_line(text: object) -> str:
    """Escape line breaks and control characters, so that one cause stays one line."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in str(text)
    )


def shortened(text: str, most: int = 200) -> str:
    """Keep the beginning and the end of a text that comes from a file."""
    if len(text) <= most:
        return text
    return f"{text[: most * 3 // 4]} ... {text[-most // 4 :]}"
