"""From files to manifests and splits: sources, collections, duplicates, partitions."""
