"""The checks of the audit, one file each, named as `--checks` takes them.

A check has these names:

- `TITLE`: what it is called on the page;
- `KIND`: `confirmatory` (it decides the verdict), `descriptive` or `control` (they do not);
- `NEEDS`: what it reads, of `manifest`, `predictions`, `images` and `run`;
- `REFERENCE`: the paper that shows why it matters;
- `assess(case)`: its rows; it raises `NotAssessed` where the case lacks something;
- `NAME`: the row that says what is lacking, if it has another name than the file;
- `hypotheses(case)`: the names of its tests, from the columns and models alone; a check that tests
  nothing (descriptive, a control, or one that counts) has no such function.
"""
