"""How numbers are written (number -> text): rounded for readers, in full for programs.

For readers, `value` has three decimals, `p_value` three significant digits, and `percent` none.
For programs, `exact` keeps every digit, and `measure` has four decimals, for the columns of long
tables. What is undefined (None, NaN) is empty, or what `undefined` says.
"""

import math
from collections.abc import Callable, Sequence

Number = float | None


def value(number: Number, undefined: str = "") -> str:
    """Write a metric or another value: three decimals, one from 10 on.

    >>> value(0.93456), value(1234.5), value(math.inf), value(math.nan, "-")
    ('0.935', '1,234.5', 'inf', '-')
    """
    if number is None or math.isnan(number):
        return undefined
    return f"{number:.3f}" if abs(number) < 10 else f"{number:,.1f}"


def interval(
    number: Number,
    low: Number,
    high: Number,
    *,
    between: str = " ",
    undefined: str = "",
    write: Callable[[Number], str] = value,
) -> str:
    """Write a value and its confidence interval; without both bounds, the value alone.

    >>> interval(0.9, 0.8, 0.95), interval(0.9, math.nan, math.nan)
    ('0.900 [0.800, 0.950]', '0.900')
    """
    written, *bounds = map(write, (number, low, high))
    if written and all(bounds):
        return f"{written}{between}[{', '.join(bounds)}]"
    return written or undefined


def as_printed(number: Number) -> str:
    """Write a number of a paper: no digit is added to what it prints.

    >>> as_printed(0.91), as_printed(112.57), as_printed(46_000_000)
    ('0.91', '112.57', '46,000,000')
    """
    if number is None or math.isnan(number):
        return ""
    return f"{number:,.0f}" if 100_000 <= number < math.inf else f"{number:g}"


def p_value(p: Number) -> str:
    """Write a p-value: three significant digits.

    >>> p_value(0.0004998), p_value(1), p_value(math.nan)
    ('0.0005', '1', '')
    """
    return "" if p is None or math.isnan(p) else f"{p:.3g}"


def percent(share: float) -> str:
    """Write a share of images, of an area or the like as a whole percentage.

    >>> percent(0.256)
    '26 %'
    """
    return f"{100 * share:.0f} %"


def share(part: float) -> str:
    """Write a share that may be small: a percentage with one decimal.

    >>> share(0.0384)
    '3.8 %'
    """
    return f"{100 * part:.1f} %"


def level(share: float) -> str:
    """Write a confidence level.

    >>> level(0.95), level(0.975)
    ('95 %', '97.5 %')
    """
    return f"{100 * share:.4g} %"


def count(number: int | None) -> str:
    """Write how many there are; unknown is empty."""
    return "" if number is None else str(number)


def counted(number: int, what: str) -> str:
    """Write how many there are of something.

    >>> counted(1, "image"), counted(72, "image")
    ('1 image', '72 images')
    """
    return f"{number} {what}{'s' * (number != 1)}"


def counted_that(number: int, what: str, one: str, many: str) -> str:
    """Write how many there are of something, and the verb that fits.

    >>> counted_that(1, "image", "has", "have"), counted_that(72, "image", "has", "have")
    ('1 image has', '72 images have')
    """
    return f"{counted(number, what)} {one if number == 1 else many}"


def listed(names: Sequence[str], word: str = "and") -> str:
    """Join names as a sentence does.

    >>> listed(["age"]), listed(["age", "sex"]), listed(["age", "sex", "view"], "or")
    ('age', 'age and sex', 'age, sex or view')
    """
    return f" {word} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def exact(number: Number) -> str:
    """Write a number with every digit, for programs.

    >>> exact(1 / 3), exact(None)
    ('0.3333333333333333', '')
    """
    return "" if number is None or math.isnan(number) else repr(float(number))


def measure(number: Number) -> str:
    """Write a measured number with four decimals, for programs."""
    return "" if number is None or math.isnan(number) else f"{number:.4f}"
