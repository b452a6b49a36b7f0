"""Predictions compared: groups, figures with intervals, tests, tables, a page."""
