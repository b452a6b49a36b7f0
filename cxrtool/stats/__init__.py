"""Pure functions of arrays: metrics, intervals, tests, probes."""
