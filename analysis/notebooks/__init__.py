"""The story of a results folder as notebooks, and their execution."""
