"""A YAML file becomes a checked spec: every mistake at once, each with its place."""
