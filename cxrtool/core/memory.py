"""What the C library does with memory that is freed."""

import contextlib
import ctypes

# As <malloc.h> numbers them.
NUMBERS = {"trim_threshold": -1, "top_pad": -2, "mmap_threshold": -3, "mmap_max": -4}


def tune(**values: int) -> None:
    """Set what mallopt(3) sets; where the C library is another than GNU's, all stays as it is.

    By default every large block goes back to the system, which then clears a page at a time what it
    gives out again.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for name, value in values.items():
            library.mallopt(NUMBERS[name], value)
