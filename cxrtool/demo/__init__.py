"""The demonstration: which commands it runs, and the page that it ends with."""
