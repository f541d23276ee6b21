"""Python's tokens, the same on every supported version of Python."""
