"""What is computed from sums of units: metrics, intervals, effect sizes, tests. Knows nothing of files."""
