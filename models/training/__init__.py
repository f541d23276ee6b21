"""A model learns: the loop, its batches, its checkpoints, its processes."""
