"""What rewrites share: places where something can be done, questions about them, and texts to put there."""
