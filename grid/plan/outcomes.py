"""How steps end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Failure = Literal["user_error", "oom_host", "oom_gpu", "timeout", "infra", "cancelled", "lost", "error"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one step ended. `error` is the last line of its traceback, or what killed it."""

    key: str
    status: Literal["done", "failed", "blocked"]
    failure: Failure | None = None
    error: str = ""
    wall_s: float = 0.0
