"""The audit: does the evidence point to the disease or to the data set? One file per check."""
