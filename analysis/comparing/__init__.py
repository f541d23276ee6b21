"""Which cells and texts are compared, and what the comparison says, as tidy tables."""
