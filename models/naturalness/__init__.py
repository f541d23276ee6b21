"""How natural rewritten code is, as models see it that made none of it: an n-gram model and a classifier.

    bits of an inserted token, of a renamed one and of the name in its place before, and of all of the
    original, under an n-gram model of the originals of other projects; and how well a classifier that never
    saw a text or its project tells the rewritten text from the original: AUC 0.5 can't, AUC 1 always can.

Both read lexical tokens, the words of comments among them; layout they don't see.
"""
