"""What probes of a manifest's columns found, in words and in figures."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cxrtool import probing
from cxrtool.probing import Finding, Floats, Ints

Row = dict[str, str]

# Of a column: what was found in all images (""), and of the label within every source.
Findings = dict[str, dict[str, Finding]]
ALL = ""
# A p above it is that of features which do not tell values apart, as far as these images show.
LEVEL = 0.05


def of_columns(
    features: Floats, rows: Sequence[Row], columns: Sequence[str], permutations: int, seed: int
) -> Findings:
    """Probe for every column, and for the label within every source, which then tells nothing."""
    found: Findings = {}
    patients = groups(rows)
    chance = {"permutations": permutations, "seed": seed}
    for column in columns:
        values = cells(rows, column)
        found[column] = {ALL: probing.probe(features, values, patients, **chance)}
        if column == "label":
            sources = cells(rows, "source")
            found[column] |= probing.within(features, values, sources, patients, **chance)
    return found


def groups(rows: Sequence[Row]) -> Ints:
    """Number the patients, those with an image in common as one."""
    return probing.groups_of(cells(rows, "patient"), cells(rows, "dup_group"))


def cells(rows: Sequence[Row], column: str) -> list[str]:
    """Take a column that need not be there."""
    return [row.get(column, "") for row in rows]


def line(found: Findings) -> str:
    """Put all that was found in one line."""
    texts = []
    for column, findings in found.items():
        for source, finding in findings.items():
            within = f" within {source}" if source else ""
            # A source with one label has nothing to tell.
            if source == ALL or finding.p is not None:
                texts.append(f"{column}{within}: {sentence(finding)}")
    return "; ".join(texts)


def sentence(finding: Finding) -> str:
    """Put one finding into words."""
    if finding.p is None:
        return f"not probed: {finding.reason}"
    told = "told apart" if finding.p <= LEVEL else "not told apart"
    return (
        f"{told} with balanced accuracy {finding.balanced_accuracy:.2f} "
        f"(chance {finding.chance:.2f}, p {finding.p:.2g})"
    )


def captions(found: Findings) -> dict[str, str]:
    """Put in short what was found of every column in all images, to stand beside a picture."""
    return {column: _caption(findings[ALL]) for column, findings in found.items()}


def _caption(finding: Finding) -> str:
    if finding.p is None:
        return f"not probed: {finding.reason}"
    return (
        f"probe: balanced accuracy {finding.balanced_accuracy:.2f} "
        f"(chance {finding.chance:.2f}), p = {finding.p:.2g}"
    )


def figures(found: Findings, rows: Sequence[Row], points: Floats) -> dict[str, Any]:
    """Gather all figures, with those of the picture itself, for JSON."""
    told: dict[str, Any] = {}
    for column, findings in found.items():
        told[column] = asdict(findings[ALL])
        told[column]["neighbours"] = probing.purity(points, cells(rows, column), groups(rows))
        if column == "label":
            inside = {source: asdict(f) for source, f in findings.items() if source != ALL}
            told[column]["within_source"] = inside
    return told
