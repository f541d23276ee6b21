"""What a task offers to single commands, and what is said where it doesn't."""

import pytest

from preprocessing.errors import BadInput
from tasks import completion, offers


def test_a_task_that_has_it() -> None:
    assert offers.find(["completion"], "complete", "complete") is completion.complete


def test_who_else_has_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match=r"^the task completion can't bark; no task can$"):
        offers.find(["completion"], "bark", "bark")
    monkeypatch.setattr(completion, "bark", 7, raising=False)
    with pytest.raises(BadInput, match="no task can"):
        offers.find(["completion"], "bark", "bark")
    with pytest.raises(BadInput, match=r"completion can$"):
        offers.find([], "check_model", "check a model")
