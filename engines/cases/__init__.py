"""The case studies: one folder each, found by the registry."""
