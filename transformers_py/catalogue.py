"""What each rewrite does, how much it adds, how it is proved and what can be set: the page docs/rewrites.md.

python -m transformers_py.catalogue > docs/rewrites.md
"""

import dataclasses
import sys
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from transformers_py import limits
from transformers_py.engine import emit
from transformers_py.options import lookup, names
from transformers_py.source import Source
from transformers_py.source.lexing import tokens

SAMPLE = '''\
import sys


def collect(rows, *extra, limit=10):
    """All rows that are long enough, and how many aren't."""
    found = []
    dropped = 0
    scale = lambda width: width * 2
    for row in rows:
        if not row or len(row) < limit:
            dropped += 1
            continue
        found.append((row[0], row[-1], "a row"))

    def report(count, *names):
        print("dropped", count, names, file=sys.stderr)

    while dropped > 100 and found:
        dropped = dropped - scale(1)
    report(dropped, "rows", extra)
    if not found:
        raise ValueError("nothing is left")
    return found, {
        "dropped": dropped,
        "limit": limit
    }


def total(table):
    ratio = 0.5
    weights = [1.5, 2.5]
    return sum(weight * value for weight, value in zip(weights, table)) + ratio
'''
"""What growth is measured on: it has sites for every rewrite."""
SEEDS = 60
_ABOUT = """\
A set of rewrites may have a limit, `{rewrites: [dead_branch, parentheses], growth_limit: 1.5}` in a spec
or `--growth-limit 1.5`: the text then has at most 1.5 times the tokens of the original, with comments
counted and without. Of the sites in the seed's order those before the first that doesn't fit are taken,
so a higher rate, count or limit keeps the sites of a lower one; what is left out is counted as
`growth_limit`.

What is inserted is made of the file: shapes of its statements over names of their new place, words of its
names, its literals. Where inserted code reads a variable that is renamed, it has the new name.
""".splitlines()

_PROOFS = {
    "ast": "the same syntax tree",
    "bytecode": "the same compiled code",
    "names": "the same compiled code up to the renamed names",
    "value": "around each expression a form that leaves its value alone, and else the same compiled code",
    "fresh": "inserted statements of inert forms with new names, and else the same statements in place",
}


_OPEN = """\
By default the world is open: other files may call what a text defines, and that they do so by position can't
be seen. `rename_parameter` and `rename_function` then find little, since most files have no function in a
function. Of 240 files drawn from the standard library and 136 packages (333,405 tokens), sites per 1,000:

| rewrite | option | sites, before | files changed, before | sites | files changed |
| --- | --- | --- | --- | --- | --- |
| rename_parameter | default | 0.09 | 5.4 % | 0.11 | 7.1 % |
| rename_parameter | `private: true` | 0.10 | 6.7 % | 0.32 | 14.6 % |
| rename_function | default | 0.05 | 2.9 % | 0.05 | 3.8 % |
| rename_function | `private: true` | 0.16 | 11.2 % | 0.17 | 12.1 % |
| rename_parameter | `world: closed` | | | 2.42 | 43.3 % |
| rename_function | `world: closed` | | | 0.80 | 27.5 % |

Before: while keywords of calls, annotated parameters, and methods like `_f` were left alone. The last two
rows take a file for all there is, which a grid refuses: they only say where the names are that a closed
world has. Over files both are too weak a treatment by default: a mean over all files says next to nothing
of them, and what is measured is said of the few files that changed. What finds more: `private: true`, which
trusts that nobody else uses names with one leading underscore; or samples that are functions, with `world:
closed`.

""".splitlines()


_CLOSED = """\
With `world: closed` the renamings take all that uses a text to be in it: a function by itself, or a
problem's solution with its tests, which are renamed by the same map (`transformers_py.rewrite_together`).
Then entry points, parameters (with annotations, and with the keywords of calls that mean them), helpers and
the module's variables have new names, too. The proof compares both trees as a whole: keywords are those of
the function that is called, no other call could give a renamed parameter by its name, and no name of the
module is left behind. What sees names by other ways is refused and counted; the texts of errors that
nothing here catches, and of functions (`<function f at …>`), show the new names. Classes, their attributes
and methods keep theirs.

With `documentation: follow` the words of docstrings follow the new names. That is a class of its own,
*names + documentation*: it changes what `__doc__` says, and docstrings that are tokens count as renamed.
All renamings of a set follow, or none; `Rewritten.documented` and `follows_documentation(rewrites)` tell
such variants apart.
"""


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Tokens that one site adds (comments and blank lines are no tokens), over `SEEDS` single sites."""

    lowest: int
    mean: float
    highest: int

    def __str__(self) -> str:
        if self.lowest == self.highest:
            return f"{self.lowest}"
        return f"{self.mean:.1f} ({self.lowest} to {self.highest})"


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option of a rewrite; `choices` is empty where any value of the type goes."""

    name: str
    type: str
    default: Any
    choices: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One rewrite. `proof` is the kind of proof, `proves` what it shows, `options_text` what options mean."""

    name: str
    summary: str
    details: str
    proof: str
    proves: str
    growth: Growth
    options: tuple[Option, ...]
    options_text: str
    examples: tuple[tuple[str, dict[str, Any], str], ...]
    refusals: tuple[str, ...]


def entries() -> list[Entry]:
    """All rewrites, in the order of their names."""
    sample = Source.analyse(SAMPLE)
    return [_entry(name, sample) for name in names()]


def growth(name: str, sample: Source) -> Growth:
    """Measured: one site of the rewrite, with its default options, for each of `SEEDS` seeds."""
    before = len(tokens(sample.text))
    added: list[int] = []
    for seed in range(SEEDS):
        done = emit(sample, [name], count=1, seed=seed)
        assert done.status == "rewritten", f"{name} has no site in the sample: {done.refusals} {done.problem}"
        added.append(len(tokens(done.text)) - before)
    return Growth(lowest=min(added), mean=sum(added) / len(added), highest=max(added))


def page() -> str:
    """The manual page of all rewrites, in Markdown."""
    found = entries()
    lines = [
        "# Rewrites",
        "",
        "Made by `python -m transformers_py.catalogue` from the rewrites; a test keeps it current.",
        "Growth is the number of tokens that one site adds (comments and blank lines are no tokens),",
        f"measured with default options on the catalogue's sample, {SEEDS} seeds, one site each.",
        "",
        *_ABOUT,
        "",
        "| rewrite | growth per site | proof |",
        "| --- | --- | --- |",
        *(f"| [{e.name}](#{e.name}) | {e.growth} | {e.proof} |" for e in found),
        "",
        "Proofs, checked on every emitted text by CPython itself:",
        "",
        *(f"- *{kind}*: {meaning}" for kind, meaning in _PROOFS.items()),
        "",
        *_OPEN,
        *_CLOSED.splitlines(),
    ]
    lines += ["", *limits.section()]
    for entry in found:
        lines += ["", *_section(entry)]
    return "\n".join(lines) + "\n"


def _entry(name: str, sample: Source) -> Entry:
    module = lookup(name)
    summary, _, details = (module.__doc__ or "").strip().partition("\n\n")
    hints = get_type_hints(module.Options)
    options = tuple(_option(field, hints[field.name]) for field in dataclasses.fields(module.Options))
    return Entry(
        name=name,
        summary=summary,
        details=" ".join(details.split()),
        proof=module.PRESERVES,
        proves=_PROOFS[module.PRESERVES],
        growth=growth(name, sample),
        options=options,
        options_text=" ".join((module.Options.__doc__ or "").split()) if options else "",
        examples=tuple(module.EXAMPLES),
        refusals=tuple(sorted({reason for _, _, reason in module.COUNTER_EXAMPLES if reason})),
    )


def _option(field: "dataclasses.Field[Any]", hint: Any) -> Option:
    literal = get_origin(hint) is Literal
    choices = get_args(hint) if literal else (False, True) if hint is bool else ()
    kind = "choice" if literal else getattr(hint, "__name__", str(hint))
    return Option(name=field.name, type=kind, default=field.default, choices=tuple(choices))


def _section(entry: Entry) -> list[str]:
    lines = [f"## {entry.name}", "", entry.summary]
    if entry.details:
        lines += ["", entry.details]
    lines += ["", f"Growth: {entry.growth} tokens per site. Proof: {entry.proves}."]
    if entry.options:
        lines += ["", "| option | default | choices |", "| --- | --- | --- |"]
        for option in entry.options:
            choices = ", ".join(f"`{choice}`" for choice in option.choices) or option.type
            lines.append(f"| `{option.name}` | `{option.default}` | {choices} |")
        lines += ["", entry.options_text]
    for before, options, after in entry.examples[:2]:
        setting = f" (with {', '.join(f'`{key}: {value}`' for key, value in options.items())})"
        lines += ["", f"Example{setting if options else ''}:", ""]
        lines += [*_block(before), "", "becomes", "", *_block(after)]
    if entry.refusals:
        lines += ["", "Refuses, among others: " + ", ".join(f"`{reason}`" for reason in entry.refusals) + "."]
    return lines


def _block(text: str) -> list[str]:
    return ["```python", *text.expandtabs(4).splitlines(), "```"]


if __name__ == "__main__":
    sys.stdout.write(page())
