"""Where jobs run: one module per executor, looked up by its name."""
