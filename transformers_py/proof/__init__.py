"""What shows that a rewritten text is the same program, with CPython as the judge."""
