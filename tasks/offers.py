"""What a task may offer to single commands, besides the contract: functions that its package has, or not.

check_model(model) -> Verdict                              augrid check-model: does it learn at all?
complete(*, model_folder, tokenizer, contexts)             augrid complete: what does it expect here?
    -> list[models.scoring.candidates.Completion]
"""

from collections.abc import Sequence
from typing import Any, Protocol

from preprocessing.errors import BadInput
from tasks import TASKS, lookup


class Verdict(Protocol):
    """Whether a model of some config can learn; `message`: why, for people; `steps`: None if it counts."""

    @property
    def ok(self) -> bool: ...

    @property
    def message(self) -> str: ...

    @property
    def steps(self) -> int | None: ...

    @property
    def seconds(self) -> float: ...


def find(kinds: Sequence[str], name: str, doing: str) -> Any:
    """The function `name` of the first of some tasks that has it.

    Raises BadInput if none does; `doing` says what they then can't do, and those that can are named.
    """
    for kind in kinds:
        function = getattr(lookup(kind), name, None)
        if callable(function):
            return function
    able = [kind for kind in TASKS.names() if callable(getattr(lookup(kind), name, None))]
    raise BadInput(f"the task {' or '.join(kinds)} can't {doing}; {', '.join(able) or 'no task'} can")
