"""COVID-CXNet's radiographs: metadata.csv lists some of the images."""

from __future__ import annotations

from collections.abc import Callable

from trees import TREES

from cxrtool.core.errors import Skip

Read = Callable[..., tuple[list[dict[str, str]], list[Skip]]]
Show = Callable[..., list[str]]
IMAGES = "chest_xray_images/covid19"


def test_reads_the_published_layout(read: Read, table: Show) -> None:
    rows, skips = read("armiro")
    assert table(rows, "path", "label", "patient", "view", "age", "sex") == [
        f"{IMAGES}/001.jpeg|covid||||",
        f"{IMAGES}/260.jpg|covid|10||68|F",
        f"{IMAGES}/261.jpg|covid|11|PA|47|M",
        f"{IMAGES}/262.jfif|covid|11||47|M",
    ]
    assert skips == [
        Skip("280-.jpg", "listed in metadata.csv but absent"),
        Skip("documents/case#1.png", f"not in a folder of {IMAGES}/", failed=False),
    ]


def test_reads_the_images_of_before_metadata(read: Read, table: Show) -> None:
    tree = {name: content for name, content in TREES["armiro"].items() if name != "metadata.csv"}
    rows, _ = read("armiro", tree, inside=IMAGES)
    assert table(rows, "path", "patient") == ["001.jpeg|", "260.jpg|", "261.jpg|", "262.jfif|"]
