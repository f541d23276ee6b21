"""Docker Engines as places to run jobs: how they are reached, what goes to them and what comes back."""
