"""The checks of the audit, one file each, named as `--checks` takes them.

A check has these names:

- `TITLE`: what it is called on the page;
- `KIND`: `confirmatory` (it decides the verdict), `descriptive` or `control` (they do not);
- `NEEDS`: what it reads, of `manifest`, `predictions`, `images` and `run`;
- `REFERENCE`: the paper that shows why it matters;
- `hypotheses(case)`: the names of its confirmatory tests, from the columns and models alone;
- `assess(case)`: its rows.
"""
