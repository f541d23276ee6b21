"""`augrid check-model`: a model of a spec, or of a kind with a few fields set, learns some lines by heart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from grid.spec import document
from grid.spec.findings import validated
from models.config import ModelConfig
from models.lookup import MODELS
from preprocessing.errors import BadInput, suggest
from tasks import TASKS, offers


def show(model: str, spec: str | None, sets: Sequence[str], console: Console) -> int:
    """Check and print one sentence. Exit code: 0 if the model learns, else 1.

    Raises:
        BadInput: no such model or kind, fields that it doesn't have, values that can't work.
    """
    asked, config = find(model, spec, sets)
    check_model = offers.find(asked, "check_model", "check a model")
    try:
        with console.status(f"{model}: learning a few lines"):
            check: offers.Verdict = check_model(config)
    except ValueError as error:
        raise BadInput(f"{model}: {error}") from None
    word = "ok" if check.ok else "failed"
    cost = f"{check.seconds:.1f} s" + (f", {check.steps} steps" if check.steps is not None else "")
    line = f"{model}: {word}: {check.message} [{cost}]"
    console.print(line, style=None if check.ok else "red", markup=False, highlight=False, soft_wrap=True)
    return 0 if check.ok else 1


def find(model: str, spec: str | None, sets: Sequence[str]) -> tuple[list[str], ModelConfig]:
    """The config of a kind, or of a model that a spec names, with `field=value` assignments, and the tasks
    that it is for: that of the spec, or all.

    Raises:
        BadInput: as `show`.
    """
    if spec is None:
        plain: dict[str, Any] = {"kind": model}
        if model not in MODELS.names():
            hint = suggest(model, MODELS.names())
            raise BadInput(f"{model}: no such kind of model{hint} (a model of a spec needs --spec)")
        asked = [kind for kind in TASKS.names() if model in TASKS.lookup(kind).MODELS]
    else:
        from grid.plan.opening import open_grid

        grid = open_grid(spec)
        asked, named = [grid.spec.task.kind], grid.resolved["models"]
        if model not in named:
            raise BadInput(f"{spec}: no model '{model}'{suggest(model, named)}")
        plain = dict(named[model])
    text = document.parse("{}", name=f"check-model {model}")
    for assignment in sets:
        text.set(assignment)
    text.data = {**plain, **text.data}
    config: type[ModelConfig] = MODELS.lookup(str(plain["kind"])).Config
    return asked, validated(config, text)
