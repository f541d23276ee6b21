"""The kinds of models: one package each, with its `Config` here and its network beside it."""
