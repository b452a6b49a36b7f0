"""The public data sets: one file a collection, named as the user types it."""
