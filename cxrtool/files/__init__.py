"""Every file format that cxrtool reads or writes. No other room opens files."""
