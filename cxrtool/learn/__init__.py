"""Networks: how they are built, trained, and asked for predictions."""
