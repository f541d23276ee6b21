"""Artifacts become the folder results/<name>/."""
