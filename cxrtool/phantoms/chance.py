"""Draw numbers so that what one part draws never shifts another."""

import numpy as np

Numbers = dict[str, float]

STREAMS = ("plan", "anatomy", "pose", "disease", "source", "noise")  # one generator each


def generator(seed: int, stream: str, *keys: str | int) -> np.random.Generator:
    """Return the generator of a stream, for the patient, image or column that the keys name."""
    text = "/".join(map(str, keys)).encode()
    return np.random.default_rng(np.random.SeedSequence([seed, STREAMS.index(stream), *text]))


def draw(rng: np.random.Generator, ranges: dict[str, tuple[float, float]]) -> Numbers:
    """Draw a number from each range."""
    low, high = np.array(list(ranges.values())).T
    return dict(zip(ranges, rng.uniform(low, high).tolist(), strict=True))
