"""What can be wrong with what a user gives us: a spec, a setting, a folder, or one source text."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong: `where` is file:line:column (or the option), `path` the dotted key."""

    where: str
    message: str
    path: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.path, self.message) if part)


class BadInput(ValueError):  # noqa: N818 - what a user reads, not an error of ours
    """Input that can't be used. Its text has one line per problem; the command line exits with 2."""

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        self.problems = [Problem(where="", message=problems)] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class BadSource(ValueError):  # noqa: N818
    """One source text that can't be used. It is left out of the corpus, counted, and listed with its reason.

    `reason` is a short slug that is counted (`null_byte`, `syntax_error`), `detail` is for people.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def suggest(wrong: object, valid: Iterable[object]) -> str:
    """A half-sentence that offers the nearest valid name, or all of them when none is near.

    suggest("epocs", ["epochs", "lr"]) → "; did you mean 'epochs'?"
    """
    import difflib  # every job's process loads this module, and few have mistakes to show

    names = [str(name) for name in valid]
    near = difflib.get_close_matches(str(wrong), names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; valid: {', '.join(names)}" if names else ""
