from cxrtool.core.errors import Skip


def test_reads_the_published_layout(read, table):
    rows, skips = read("hannover")
    assert table(rows, "path", "label", "patient", "view", "age", "sex") == [
        "png/fff13f3a.png|covid|024e7871|PA||F",
        "png/b343e657.png|covid|042f06a9|AP|70|M",
    ]
    assert skips == [
        Skip("c9280a30", "modality is CT, not CR or DX", failed=False),
        Skip("53c9be49", "listed in data.csv but absent"),
    ]
