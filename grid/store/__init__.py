"""Finished steps by key: who holds what, and where results come from."""
