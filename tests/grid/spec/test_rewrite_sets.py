"""What sets of rewrites say of themselves."""

import pytest

from preprocessing.lexer.tokens import TokensConfig, lex, texts
from transformers_py import names, rewrite, touches
from transformers_py.catalogue import SAMPLE


def read(text: str, comments: str) -> list[str]:
    config = TokensConfig.model_validate({"comments": comments})
    return texts(text, lex(text, config.comments), config)


@pytest.mark.parametrize("name", names())
def test_what_a_rewrite_touches_is_what_a_model_sees_of_it(name: str) -> None:
    done = rewrite(SAMPLE, [name], rate=1.0, seed=1)
    assert done.status == "rewritten"
    seen = {comments for comments in ("keep", "drop") if read(SAMPLE, comments) != read(done.text, comments)}
    expected = {"tokens": {"keep", "drop"}, "comments": {"keep"}, "layout": set[str]()}
    assert seen == expected[touches(name)]
