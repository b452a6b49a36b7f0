"""The papers' own tables, one CSV a paper: keys, class, metric, value, low, high, n, note.

The columns before `class` tell the rows of a paper's tables apart. Values are as printed, percent
as shares; `note` says where a paper contradicts itself or its counts.
"""
