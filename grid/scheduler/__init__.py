"""Jobs go to free slots, and what happens to them is told."""
