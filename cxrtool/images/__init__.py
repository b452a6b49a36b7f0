"""Functions of image arrays: hashes, masks, burnt-in text, measurements of bystanders."""
