"""What probes of a manifest's columns found, in words and in figures."""

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from cxrtool.figures import numbers
from cxrtool.stats import linear_probe, paired_tests
from cxrtool.stats.linear_probe import Finding, Floats, Ints

Row = dict[str, str]

# Of a column: what was found in all images (""), and of the label within every source.
Findings = dict[str, dict[str, Finding]]
ALL = ""


def of_columns(
    features: Floats, rows: Sequence[Row], columns: Sequence[str], permutations: int, seed: int
) -> Findings:
    """Probe for every column, and for the label within every source, which cannot help there."""
    result: Findings = {}
    patients = groups(rows)
    chance = {"permutations": permutations, "seed": seed}
    for column in columns:
        values = cells(rows, column)
        result[column] = {ALL: linear_probe.probe(features, values, patients, **chance)}
        if column == "label":
            sources = cells(rows, "source")
            result[column] |= linear_probe.within(features, values, sources, patients, **chance)
    return adjusted(result)


def adjusted(result: Findings) -> Findings:
    """Adjust all p for their number (Holm 1979)."""
    places = [(c, s) for c, of in result.items() for s, one in of.items() if one.p is not None]
    p = paired_tests.holm(np.array([result[column][source].p for column, source in places], float))
    for (column, source), value in zip(places, p.tolist(), strict=True):
        result[column][source] = replace(result[column][source], p_holm=round(value, 6))
    return result


def sentences(result: Findings, permutations: int) -> list[str]:
    """Say what was found and, before it, where p could not be small."""
    return [text for text in (unattainable(result, permutations), line(result)) if text]


def unattainable(result: Findings, permutations: int) -> str:
    """Say so where p after Holm could not be small, whatever the features."""
    tests = sum(one.p is not None for of in result.values() for one in of.values())
    if tests <= linear_probe.ALPHA * (1 + permutations):
        return ""
    needed = math.ceil(tests / linear_probe.ALPHA) - 1
    return (
        f"warning: {permutations} permutations are too few for {tests} probes: no p after Holm can "
        f"be {linear_probe.ALPHA:g} or less; use --permutations {needed} or more"
    )


def groups(rows: Sequence[Row]) -> Ints:
    """Number the patients, those with an image in common as one."""
    return linear_probe.groups_of(cells(rows, "patient"), cells(rows, "dup_group"))


def cells(rows: Sequence[Row], column: str) -> list[str]:
    """Take a column that need not be there."""
    return [row.get(column, "") for row in rows]


def line(result: Findings) -> str:
    """Put all findings in one line."""
    texts = []
    for column, findings in result.items():
        for source, finding in findings.items():
            within = f" within {source}" if source else ""
            # Most sources have one label only.
            if source == ALL or finding.p is not None:
                texts.append(f"{column}{within}: {sentence(finding)}")
    return "; ".join(texts)


def sentence(finding: Finding) -> str:
    """Put one finding into words."""
    if finding.p is None:
        return f"not probed: {finding.reason}"
    predictable = _holm(finding) <= linear_probe.ALPHA
    text = "predictable" if predictable else "not shown to be predictable"
    more = ""
    if not predictable and finding.detectable is not None:
        more = f"; {numbers.value(finding.detectable)} would be detected with 80 % power"
    return (
        f"{text}, balanced accuracy {_bounded(finding)} "
        f"(chance {numbers.value(finding.chance)}, p {numbers.p_value(finding.p)}, "
        f"after Holm {numbers.p_value(_holm(finding))}{more})"
    )


def _holm(finding: Finding) -> float:
    """Return p after Holm; of one probe alone it is p."""
    p = finding.p if finding.p_holm is None else finding.p_holm
    return math.nan if p is None else p


def _bounded(finding: Finding) -> str:
    return numbers.interval(finding.balanced_accuracy, finding.low, finding.high)


def captions(result: Findings) -> dict[str, str]:
    """Put in short what was found of every column in all images, to stand beside a picture."""
    return {column: _caption(findings[ALL]) for column, findings in result.items()}


def _caption(finding: Finding) -> str:
    if finding.p is None:
        return f"not probed: {finding.reason}"
    return (
        f"probe: balanced accuracy {_bounded(finding)} "
        f"(chance {numbers.value(finding.chance)}), "
        f"p = {numbers.p_value(_holm(finding))} after Holm"
    )


def figures(result: Findings, rows: Sequence[Row], points: Floats) -> dict[str, Any]:
    """Gather all figures, with those of the picture itself, for JSON."""
    text: dict[str, Any] = {}
    for column, findings in result.items():
        text[column] = asdict(findings[ALL])
        text[column]["neighbours"] = linear_probe.purity(points, cells(rows, column), groups(rows))
        if column == "label":
            inside = {source: asdict(f) for source, f in findings.items() if source != ALL}
            text[column]["within_source"] = inside
    return text
