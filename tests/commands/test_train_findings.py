"""`cxrtool train --task findings`: several findings at once, independently, and who reads them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from disc_findings import NAMES, discs, train
from handy import about, in_process, line, rows_of, write_table
from PIL import Image
from sklearn.metrics import roc_auc_score

from cxrtool.files import run_folder
from cxrtool.learn import findings_learner, inference

Said = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("own_folder")


def test_it_learns_each_finding_and_every_reader_takes_the_run(capfd: Said) -> None:
    rows = discs(96)
    assert train("--monitor", "auc", epochs=16) == 0
    said = capfd.readouterr().err
    present = [sum(n in r["finding"] for r in rows if r["split"] == "train") for n in NAMES]
    told = ", ".join(f"{name} ({n} of 48)" for name, n in zip(NAMES, present, strict=True))
    assert f"findings of 48 training images: {told}\n" in said
    record = about()
    assert (record["task"], record["classes"]) == ("findings", NAMES)
    assert record["data"]["train"] == dict(zip(NAMES, present, strict=True))
    assert record["criterion"] == "binary cross-entropy of each finding"
    assert list(rows_of(Path("r/history.csv"))[0]) == [
        *("epoch", "loss", "lr", "images_per_second", "val_loss", "val_auc", "seconds")
    ]
    given = ["m.csv", "--where", "split=val", "-o", "p.csv", "-j", "1", "--strict"]
    assert in_process("evaluate", "r", *given) == 0
    scores: dict[str, list[tuple[bool, float]]] = {name: [] for name in NAMES}
    for row in rows_of(Path("p.csv")):
        scores[row["finding"]].append((row["label"] == "present", float(row["p_present"])))
    aucs = [roc_auc_score(*zip(*pairs, strict=True)) for pairs in scores.values()]
    assert record["best"]["val_auc"] == pytest.approx(np.mean(aucs), abs=1e-6)
    assert min(aucs) > 0.9
    given = ["p.csv", "--by", "finding", "--metrics", "auc", "--format", "csv", "-o", "t.csv"]
    assert in_process("compare", *given) == 0
    assert [float(r["value"]) for r in rows_of(Path("t.csv"))] == pytest.approx(aucs, abs=1e-4)
    few = ["m.csv", "--where", "split=test", "-j", "1"]
    assert in_process("cam", "r", *few, "--class", "Mass", "-d", "maps", "-o", "maps.csv") == 0
    maps = rows_of(Path("maps.csv"))
    assert {row["label"] for row in maps} == {"Mass", "absent"}
    assert in_process("tsne", "r", *few, "-o", "points.csv") == 0
    assert in_process("evaluate", "r", *few, "--epoch", "last", "-o", "last.csv") == 0
    assert len(rows_of(Path("last.csv"))) == 3 * len(maps)


def test_strict_refuses_what_the_run_has_seen(capfd: Said) -> None:
    rows = discs()
    for row in rows:
        row["patient"] = str(int(row["patient"]) % 7)
    write_table(Path("m.csv"), rows)
    assert train("--strict", folder="never") == 2
    assert "patients in more than one part" in line(capfd) and not Path("never").exists()
    assert train() == 0
    assert "m.csv: 7 patients in more than one part: the results are" in capfd.readouterr().err
    given = ["m.csv", "--where", "split=test", "-o", "p.csv", "-j", "1"]
    assert in_process("evaluate", "r", *given, "--strict") == 2
    assert "were not held out" in line(capfd) and not Path("p.csv").exists()
    assert in_process("evaluate", "r", *given) == 0
    assert "were not held out" in capfd.readouterr().err


def test_unknown_names_leave_answers_open_and_empty_lists_are_left_out(capfd: Said) -> None:
    rows = discs()
    learned = [row for row in rows if row["split"] == "train"]
    for row, text in zip(learned, ("", " ", "Flu", "Flu|edema ", "HERNIA|Mass"), strict=False):
        row["finding"] = text
    write_table(Path("m.csv"), rows)
    assert train("--classes", "Mass,Edema,Hernia") == 0
    assert about()["classes"] == ["Mass", "Edema", "Hernia"]
    reasons = [row["reason"] for row in rows_of(Path("r/failures.csv"))]
    assert reasons == [
        *("its column finding is empty",) * 2,
        "'Flu' says nothing of the findings to learn",
    ]
    # Twelve rows, of which three are left out, and one says nothing of two findings.
    said = capfd.readouterr().err
    lists = [{n.strip().casefold() for n in r["finding"].split("|")} for r in learned[3:]]
    known = {"Mass": 8, "Edema": 9, "Hernia": 8}
    counts = {name: sum(name.casefold() in names for names in lists) for name in known}
    told = ", ".join(f"{name} ({counts[name]} of {n})" for name, n in known.items())
    assert f"findings of 9 training images: {told}\n" in said
    # Unnamed, every name is a finding to learn.
    assert train(folder="all") == 0
    assert about("all")["classes"] == ["Edema", "Flu", "Hernia", "Mass"]


def test_uncertain_findings_are_neither_present_nor_absent(capfd: Said) -> None:
    rows = discs()
    learned = [row for row in rows if row["split"] == "train"]
    for row, text in zip(learned, ("Edema?", "Mass|Edema?", "hernia?|Mass"), strict=False):
        row["finding"] = text
    write_table(Path("m.csv"), rows)
    assert train() == 0
    lists = [row["finding"] for row in learned[3:]]
    counts = {name: sum(name in text for text in lists) for name in NAMES}
    told = f"Edema ({counts['Edema']} of 10), Hernia ({counts['Hernia']} of 11), "
    told += f"Mass ({counts['Mass'] + 2} of 12)"
    assert f"findings of 12 training images: {told}\n" in capfd.readouterr().err
    assert about()["classes"] == NAMES
    given = ["m.csv", "--where", "split=train", "-o", "p.csv", "-j", "1"]
    assert in_process("evaluate", "r", *given) == 0
    labels = [row["label"] for row in rows_of(Path("p.csv"))][:9]
    assert labels == [
        *("", "absent", "absent"),
        *("", "absent", "present"),
        *("absent", "", "present"),
    ]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("--classes Edema,Flu", "m.csv: no training image shows Flu (the lists: Edema, Hernia, Ma"),
        (
            "--classes Flu,Cold,Mass",
            "m.csv: no training image shows Flu, Cold (the lists: Edema, H",
        ),
        ("--classes Mass,mass", "the class 'mass' is named twice. Name each class once (--classes"),
        ("--classes Mass,Normal", "'Normal' cannot be learned as a finding: it means that there"),
        ("--classes Mass,no_finding", "'no_finding' cannot be learned as a finding: it means"),
        ("--classes Mass,Edema?", "'Edema?' is how lists write that a finding is uncertain. Name"),
        ("--classes Mass,Edema", "'conv8' has 1 output for 2 findings. Choose another network."),
        ("--arch unet", "'unet' is a segmentation network, not a classifier. Choose another"),
        ("--arch resnet18:head=svm", "'resnet18:head=svm' is solved by a support vector machine"),
        ("--loss focal", "--loss has no effect: --task findings learns the binary cross-entropy"),
        ("--rebalance Mass=1", "--rebalance has no effect: --task findings learns the binary"),
        ("--label-smoothing 0.1", "--label-smoothing has no effect: --task findings learns"),
        ("--monitor accuracy", "--monitor 'accuracy' is not one of: loss, auc. Choose one of"),
        ("--augment hard", "--augment hard is for masks. Give --task segment, or leave it out."),
        (
            "--class-weights max",
            "--class-weights max cannot be used with --task findings. Give",
        ),
        ("--class-weights Flu=2", "'Flu' is none of the classes: Edema, Hernia, Mass. Name one"),
        ("--arch chexnet", "m.csv: no training image shows Atelectasis, Cardiomegaly, Effusion"),
        ("--epochs 0", "--task has no effect: --epochs 0 makes a run of the weights as they are"),
    ],
)
def test_what_does_not_go_with_findings(given: str, reason: str, capfd: Said) -> None:
    discs()
    assert train(*given.split()) == 2
    assert line(capfd).startswith(reason)
    assert not Path("r").exists()


@pytest.mark.parametrize(
    ("lists", "reason"),
    [
        (["No Finding"], "m.csv: no training image shows a finding"),
        (["Mass|Edema", "Mass"], "m.csv: no training image is known to be without Mass"),
        (
            [""],
            "m.csv: none of the 12 training rows can be used: its column finding is empty (12 ro",
        ),
        (["M" * 10_001, "Edema"], "has 10001 characters, a name at most 10000. Rename it in the"),
        ([f"a{k}" for k in range(24)] + ["|".join(map(str, range(1000)))], "outputs are more than"),
    ],
)
def test_lists_of_which_nothing_can_be_learned(lists: list[str], reason: str, capfd: Said) -> None:
    rows = discs()
    for number, row in enumerate(rows):
        row["finding"] = lists[number % len(lists)] if number else lists[-1]
    write_table(Path("m.csv"), rows)
    assert train() == 2
    assert reason in capfd.readouterr().err.splitlines()[-1]
    write_table(Path("m.csv"), [{k: v for k, v in r.items() if k != "finding"} for r in rows])
    assert train() == 2
    assert line(capfd).startswith("m.csv: no column 'finding' among: path, label")


def test_killed_after_an_epoch_it_ends_as_the_undisturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    discs()
    given = ["--augment", "rotate=10,hflip=0.5", "--class-weights", "balanced"]
    assert train(*given, epochs=2, folder="whole") == 0
    kept, calls = os.replace, []

    def dies(source: Any, target: Any, **where: Any) -> None:
        if str(target).endswith("history.csv") and not calls:
            calls.append(target)
            raise KeyboardInterrupt
        kept(source, target, **where)

    monkeypatch.setattr(os, "replace", dies)
    assert train(*given, epochs=2, folder="killed") == 130
    assert train(*given, epochs=2, folder="killed") == 0
    for name in ("model.safetensors", "run.json"):
        assert Path("killed", name).read_bytes() == Path("whole", name).read_bytes()
    # Balanced: images without the finding over those with it.
    assert about("whole")["criterion"].endswith("each finding, class weights balanced")


def test_a_step_is_that_of_pytorchs_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """One epoch of one batch, done again here: the same weights come out."""
    rows = discs()
    rows[0]["finding"] = "Mass|Flu"
    write_table(Path("m.csv"), rows)
    given = ["--classes", ",".join(NAMES), "--optimizer", "sgd:momentum=0", "--batch", "64"]
    assert train(*given, "--normalize", "unit", "--lr", "0.1", "--seed", "4") == 0
    learned = [row for row in rows if row["split"] == "train"]
    lists = [row["finding"].split("|") for row in learned]
    truth = torch.tensor([[float(n in names) for n in NAMES] for names in lists])
    known = torch.tensor(
        [[float("Flu" not in names or n in names) for n in NAMES] for names in lists]
    )
    assert known.sum() == known.numel() - 2
    import cv2

    greys = [
        cv2.resize(np.asarray(Image.open(r["path"])), (32, 32), interpolation=cv2.INTER_AREA)
        for r in learned
    ]
    from cxrtool.learn.training_loop import mixed

    torch.manual_seed(mixed(4, 0))
    network = inference.of_findings("conv8", 3, 1, 32).train()
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    logits = network(torch.from_numpy(np.stack(greys))[:, None].float() / 255)
    loss = torch.nn.BCEWithLogitsLoss(weight=known)(logits, truth)
    loss.backward()
    optimizer.step()
    tensors = run_folder.read("r").tensors()
    for name, own in network.state_dict().items():
        torch.testing.assert_close(tensors[name], own, atol=2e-5, rtol=1e-4)
    assert float(rows_of(Path("r/history.csv"))[0]["loss"]) == pytest.approx(loss.item(), abs=1e-4)


def test_mean_auc_is_that_of_scikit_learn_over_findings_with_both_answers() -> None:
    chance = np.random.default_rng(2)
    answers, scores = chance.integers(-1, 2, (40, 3)), chance.normal(size=(40, 3))
    answers[:, 1] = 1
    each = [
        roc_auc_score(answers[answers[:, k] >= 0, k], scores[answers[:, k] >= 0, k]) for k in (0, 2)
    ]
    assert findings_learner.mean_auc(answers, scores) == pytest.approx(np.mean(each))
    assert np.isnan(findings_learner.mean_auc(answers[:, 1:2], scores[:, 1:2]))


def test_findings_of_one_answer_in_val_are_named(capfd: Said) -> None:
    rows = discs(48)
    for row in rows:
        if row["split"] == "val":
            row["finding"] = row["finding"].replace("Mass", "No Finding")
    write_table(Path("m.csv"), rows)
    assert train() == 0
    said = capfd.readouterr().err
    assert (
        "warning: no validation AUC for Mass: all of these images have it, or none has: val_auc"
        in said
    )


def test_a_source_that_gives_a_finding_away_is_named(capfd: Said) -> None:
    rows = discs(96)
    for row in rows:
        row["source"] = "clinic" if "Hernia" in row["finding"] else "other"
    write_table(Path("m.csv"), rows)
    assert train() == 0
    said = capfd.readouterr().err
    assert "'Hernia' occurs only in source 'clinic'" in said
    assert "predicted from the source (AUC 1.00 for 'Hernia') alone" in said
    assert in_process("evaluate", "r", "m.csv", "-o", "p.csv", "-j", "1") == 0
    assert "r: in its training images 'Hernia' occurs only in source" in capfd.readouterr().err


def test_folds_and_repeats() -> None:
    rows = discs()
    for number, row in enumerate(rows):
        row["fold"] = str(number % 3 + 1)
    write_table(Path("m.csv"), rows)
    assert train("--fold", "2", "--repeat", "2", folder="both") == 0
    for seed in (0, 1):
        record = about(f"both/seed-{seed}")
        images = run_folder.read(f"both/seed-{seed}").about
        assert record["seed"] == seed and images.options["fold"] == "2"
    assert rows_of(Path("both/seed-0/history.csv")) != rows_of(Path("both/seed-1/history.csv"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "arch", ["densenet121", "cvr-net", "squeezenet", "timm:vit_tiny_patch16_224", "coronet"]
)
def test_any_classifier_learns_findings(arch: str) -> None:
    discs()
    assert train("--arch", arch, "--size", "64" if "vit" not in arch else "224") == 0
    given = ["m.csv", "--where", "split=test", "-o", "p.csv", "-j", "1"]
    assert in_process("evaluate", "r", *given) == 0
    assert {row["finding"] for row in rows_of(Path("p.csv"))} == set(NAMES)


def test_findings_of_unreadable_images_only_are_refused(capfd: Said) -> None:
    rows = discs()
    for number, row in enumerate(row for row in rows if row["split"] == "train"):
        row["finding"] = "Mass|Flu" if number < 2 else ("Mass", "Edema", "normal")[number % 3]
        if number < 2:
            Path(row["path"]).write_text("no image")
    write_table(Path("m.csv"), rows)
    assert train("--classes", "Mass,Flu,Edema") == 2
    assert "no training image with Flu can be read." in capfd.readouterr().err.splitlines()[-1]
    assert not Path("r/model.safetensors").exists()


def test_counts_are_of_the_images_that_were_read() -> None:
    rows = discs()
    learned = [row for row in rows if row["split"] == "train"]
    learned[1]["finding"], learned[2]["finding"] = "Mass|Edema?", "Mass"
    Path(learned[2]["path"]).write_text("no image")
    write_table(Path("m.csv"), rows)
    assert train() == 1
    data, left = about()["data"], [row["finding"] for row in learned if row is not learned[2]]
    assert data["images"]["train"] == len(left) == 11
    for name in NAMES:
        unknown = sum(f"{name}?" in text for text in left)
        assert data["train"][name] == sum(name in text for text in left) - unknown
        assert data["train_known"][name] == 11 - unknown
    assert about()["options"]["loss"] == "bce"


def test_an_auc_that_is_not_there_chooses_no_epoch(capfd: Said) -> None:
    rows = discs()
    for row in rows:
        row["finding"] = "No Finding" if row["split"] == "val" else row["finding"]
    write_table(Path("m.csv"), rows)
    assert train("--monitor", "auc", epochs=2) == 2
    assert line(capfd).startswith("--monitor auc has no effect: no finding is present in some val")
    assert not Path("r").exists()


def test_lists_that_contradict_themselves_and_joined_names_are_said(capfd: Said) -> None:
    rows = discs()
    rows[0]["finding"], rows[1]["finding"] = "No Finding|Mass", "Edema;Mass"
    write_table(Path("m.csv"), rows)
    assert train() == 0
    said = capfd.readouterr().err
    assert "warning: 1 list says both that there is no finding and name one: the find" in said
    assert "warning: 'Edema;Mass' is learned as one finding: names in a list are separa" in said
