"""What is asked of a model: one folder for each task."""
