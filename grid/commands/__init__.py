"""What the commands do; `grid/cli/` reads their options."""
