import pytest

from cxrtool.core.errors import Skip
from cxrtool.data.collections.padchest import parse

CSV = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"


def test_reads_the_published_layout(read, table):
    rows, skips = read("padchest")
    assert table(rows, "path", "label", "patient", "view", "age", "sex", "finding") == [
        "0/1_a.png|normal|839860488694292331|PA|84|F|normal",
        "0/2_b.png|pneumonia|0207|AP Supine|65|M|infiltrates|pneumonia",
        "17/3_c.png|tuberculosis|8|L|||tuberculosis|unchanged",
        "17/4_d.png|other|9|COSTAL|22|M|tuberculosis sequelae|normal",
    ]
    assert skips == [
        Skip("17/5_e.png", "no class in the labels ['unchanged']", failed=False),
        Skip("17/6_f.png", "no class in the labels []", failed=False),
        Skip("17/7_g.png", "the projection is EXCLUDE", failed=False),
        Skip("54/8_h.png", f"listed in {CSV} but absent"),
    ]


@pytest.mark.parametrize(
    ("text", "labels"),
    [("", []), ("[]", []), ("[nan]", []), ("['a', \" b's\", '']", ["a", "b's"])],
)
def test_reads_a_list_without_running_it(text, labels):
    assert parse(text) == labels
