"""audit: predictions with a row for each image and finding."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from test_audit import Cli, cli, predictions
from test_audit_input import UNSEEN, rewritten

__all__ = ["cli"]


def of_findings(table: Path) -> tuple[Path, Path]:
    """Make a manifest with lists of findings, and predictions of two: nothing is known of Edema.

    Pneumonia is what the label of the predictions says.
    """
    manifest = rewritten(
        table,
        "m.csv",
        lambda _, row: [row.pop("p_normal"), row.pop("p_covid"), row.update(finding="Edema|Mass")],
    )
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    texts = ["path,label,finding,p_absent,p_present,pred\n"]
    for row in rows:
        truth = {"normal": "absent", "covid": "present"}[row["label"]]
        p = row["p_normal"], row["p_covid"]
        pred = "present" if float(p[1]) > 0.5 else "absent"
        texts.append(f"{row['path']},{truth},Pneumonia,{p[0]},{p[1]},{pred}\n")
        texts.append(f"{row['path']},,Edema,{p[0]},{p[1]},{pred}\n")
        texts.append(f"{row['path']},{truth},Mass,{p[1]},{p[0]},\n")
    path = table.with_name("findings.csv")
    path.write_text("".join(texts))
    return manifest, path


def test_one_of_several_findings_is_chosen_among_the_predictions(cli: Cli, tmp_path: Path) -> None:
    manifest, table = of_findings(predictions(tmp_path / "p.csv", number=60))
    call = ("audit", manifest, table, "-d", tmp_path / "out", "--fail-on", "none", *UNSEEN)
    result = cli(*call)
    assert result.code == 2
    assert "Choose one of Pneumonia, Mass (--where finding=Pneumonia)." in result.err
    for finding, above in (("Pneumonia", True), ("Mass", False)):
        result = cli(*call, "--where", f"finding={finding}", "--where", "source=A", "-f")
        assert result.code == 0, result.err
        record = json.loads((tmp_path / "out" / "audit.json").read_text())
        assert (record["positive"], record["negatives"]) == ("present", ["absent"])
        (auc,) = [row["value"] for row in record["checks"] if row["check"] == "broken"]
        assert (auc > 0.5) == above
        assert record["images"] == record["judged"] == manifest.read_text().count(",A,")
        assert record["not_in_manifest"] == 0


def test_the_label_of_a_manifest_says_nothing_of_a_finding(cli: Cli, tmp_path: Path) -> None:
    manifest, table = of_findings(predictions(tmp_path / "p.csv", number=60))
    text = manifest.read_text().replace("normal", "absent").replace("covid", "present")
    manifest.write_text(text)
    call = ("audit", manifest, table, "-d", tmp_path / "out", *UNSEEN)
    result = cli(*call, "--where", "finding=Edema")
    assert result.code == 2 and "no row has a label" in result.err
