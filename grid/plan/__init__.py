"""Cells become steps and jobs: their keys, names and expected times."""
