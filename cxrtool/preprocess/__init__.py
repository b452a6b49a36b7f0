"""New images from old ones: contrast, lung masks."""
