"""What every room uses: errors, progress, the registry of plug-ins, worker processes."""
