"""The proofs: nothing is emitted that CPython itself doesn't show to be the same program.

Two steps, each against the original:

1. *code*: the text with parentheses, renamings and expression wrappers (as bare parentheses), but without
   inserted statements, compiles to equal code objects (`bytecode.difference`).
2. *skeleton*: the whole text compiles, and CPython's parser finds each statement of the original at the place
   where splicing put it, at the same depth, and besides them only inserted statements that do nothing
   (`insertions.skeleton_problem`, `inert.why_not`). Where nothing but whole lines was inserted,
   `whole_lines.are_whole_lines` shows it without a tree.

What lies between two statement boundaries is the same text in both, so its tree is the same too. Both steps
are made for each unit (compilation_units.py) that has edits, by `prover.prove`. No rewrite is asked: a proof
knows the source, the edits, and of which kind (`roles.Role`) each of them is.
"""
