"""The nouns: the only modules that open files."""
