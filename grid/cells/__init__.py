"""Axes and rules become cells, and the spec becomes what each cell sees of it."""
