"""Blocks that several cases share."""
