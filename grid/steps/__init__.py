"""What steps do: one module per kind of step, the only place where the lower packages meet.

Each has `version()`, part of the keys of its steps, and `make(works, context)`, which yields each work with
its facts or its exception. Lower packages are imported inside functions: planning needs versions only.
"""
