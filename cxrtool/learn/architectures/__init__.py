"""Networks: each file is one architecture, named as the user types it."""
