"""Sweeps: plan the runs that are missing, measure each in a local process, keep them in the store."""
