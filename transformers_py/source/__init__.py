"""What is known of one text: CPython's and libcst's view of it, its scopes and tokens, and edits over it."""
