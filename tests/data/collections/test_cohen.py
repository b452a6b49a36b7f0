from trees import TREES

from cxrtool.core.errors import Skip


def test_reads_the_published_layout(read, table):
    rows, skips = read("cohen")
    assert table(rows, "path", "label", "patient", "view", "age", "sex", "mask", "finding") == [
        "images/a.jpg|covid|2|PA|65|M||COVID-19",
        "images/b.jpg|covid|2|AP Supine|65|M|masks/b.png|COVID-19, ARDS",
        "images/c.jpg|normal|007|||F||No Finding",
        "images/d.jpg|tuberculosis|8|L||||Tuberculosis",
        "images/e.jpg|pneumonia|9|AP Semi Erect||||SARS",
    ]
    assert skips == [
        Skip("images/f.jpg", "the finding is 'todo'", failed=False),
        Skip("images/g.nii.gz", "modality is CT, not X-ray", failed=False),
        Skip("images/absent.jpg", "listed in metadata.csv but absent"),
        Skip("images/e.jpg", "listed again in metadata.csv", failed=False),
        Skip("images/new.jpg", "not listed in metadata.csv", failed=False),
    ]


def test_reads_a_copy_without_masks(read):
    tree = {name: data for name, data in TREES["cohen"].items() if "masks" not in name}
    rows, _ = read("cohen", tree)
    assert {row["mask"] for row in rows} == {""}
