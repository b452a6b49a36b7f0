from cxrtool.core.errors import Skip


def test_reads_the_published_layout(read, table):
    rows, skips = read("actualmed")
    assert table(rows, "path", "label", "patient", "view", "finding") == [
        "images/CR.1.2.840.png|normal|ANON56|PA|No finding",
        "images/CR.1.2.842.png|covid|ANON196|AP|COVID-19",
    ]
    assert skips == [
        Skip("images/CR.1.2.841.png", "inconclusive, no finding", failed=False),
        Skip("CR.1.2.843.png", "listed in metadata.csv but absent"),
        Skip("images/SAMPLE.png", "not listed in metadata.csv", failed=False),
    ]
