from cxrtool.core.errors import Skip


def test_takes_the_folder_for_the_class(read, table):
    rows, skips = read("folder")
    assert table(rows, "path", "label", "mask") == [
        "c.png||",
        "test/normal/b.png|normal|",
        "train/covid/a.png|covid|",
    ]
    assert skips == []


def test_takes_masks_for_masks(read, table):
    tree = {"COVID/images/1.png": None, "COVID/masks/1.png": None, "COVID/images/2.png": None}
    rows, skips = read("folder", tree)
    assert table(rows, "path", "label", "mask") == [
        "COVID/images/1.png|COVID|COVID/masks/1.png",
        "COVID/images/2.png|COVID|",
    ]
    assert skips == [Skip("COVID/masks/1.png", "in a folder masks", failed=False)]
