'''The rewrites, one module each; the name in YAML is the module's name, and nothing has to be registered.

A rewrite is a module with

    """One sentence that says what it does, before -> after."""

    VERSION = 1             # raised whenever its sites or its texts change: variants are found by it

    PRESERVES = "ast"       # the kind of proof (below)

    TOUCHES = "comments"    # or "layout": what it leaves all tokens of a program as they are but for

    RENAMES = "variable"    # with PRESERVES = "names" only: "variable", "parameter" or "function"

    WHOLE = True            # only where its edits can't be proved in one unit without the others

    REASONS = {"has_comma": "a comma stands there already"}
                            # what its own reasons to refuse mean; those of sites/ are explained there

    EXAMPLES: list[Example] = [(before, options, after), ...]
                            # must change: `after` is the text at rate 1.0 and seed 1

    COUNTER_EXAMPLES: list[CounterExample] = [(text, options, reason), ...]
                            # must not change; `reason` is what is counted, "" for no site and no refusal

    @dataclass(frozen=True, kw_only=True)
    class Options: ...      plain types, Literal, bool, int, float, all with defaults

    def sites(source: Source, options: Options) -> tuple[list[Site], Refusals]:
        """All sites in the order of the text, and reasons for what was refused, with their places."""

and, where a text has to be drawn, one of

    def draw(source, options, sites, rng, taken) -> Sequence[str | None]:
        """The texts of all sites (None: no text could be found), where they must differ from each other."""

    def fill(source, options, site, dice, taken) -> str:
        """The text of one site, where it doesn't depend on the others' texts."""

The text replaces HOLE ("\\0") in the edits of its site. `rng.random()` and `dice.random()` are the only
sources of randomness; they depend on seed, sample and rewrite (and site), never on rate or count. `taken`
holds all words of the text and all new names of renamings, and says of a text whether it would tell what a
renaming of the set hides (`taken.tells`): such a text may not be inserted.

Kinds of proof (see transformers_py/proof; every emitted text is proved):

    ast       the same tree: parentheses, comments, blank lines, trailing commas
    bytecode  the same compiled code: constants that fold, annotations of locals
    names     the same compiled code up to renamed variables
    value     each site is two edits `(...` and `...)` around a sub-expression, of a form that
              `proof.wrappers.problem` knows; add the form there if it is new
    fresh     whole statements inserted, of a form that `proof.inert.why_not` knows, which bind new names only

Look at the source through its table of nodes (`source.nodes`, `parents`, `lasts`, `starts`, `inner_starts`),
at scopes through `source.scoping`, at places for statements through `insertion_points.function_points`, at
places for expressions through `expressions.loads`, at words that are taken through `source.words`. Insert
nothing inside of f-strings and match patterns: a token must stay one token. When unsure, refuse and count
the reason.
'''

from typing import Any

Example = tuple[str, dict[str, Any], str]
CounterExample = tuple[str, dict[str, Any], str]
