"""From tidy tables to figures: each function returns a `Plot`, usable in a notebook and in the report."""
