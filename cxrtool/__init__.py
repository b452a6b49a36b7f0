"""Composable commands that tell whether a chest X-ray classifier learned the disease."""

__version__ = "0.1.0"
