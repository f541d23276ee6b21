"""Sets of rewrites as a spec writes them, checked by `transformers_py` itself."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter, WithJsonSchema

import transformers_py
import transformers_py.rewrites

FIRST_VERSION = 8
"""What all rewrites had when each got a version of its own: left out of keys, so that older ones stay."""

Entry = str | dict[str, dict[str, Any]]


def check_set(entries: list[Entry]) -> list[list[Any]]:
    """Canonical [[name, options], …] of a set, with every default filled in.

    Raises:
        ValueError: an unknown rewrite or option; lists the valid ones.
    """
    return [[name, dict(options)] for name, options in transformers_py.check(entries)]


def versions(rewrites: list[list[Any]]) -> dict[str, int]:
    """What the key of a variant says of the versions of its rewrites, [[name, options], …]."""
    found = transformers_py.versions(_requests(rewrites))
    return {name: version for name, version in found.items() if version != FIRST_VERSION}


def needs_tokenizer(rewrites: list[list[Any]]) -> bool:
    """Whether new names are drawn that have as many subwords as the old ones."""
    return transformers_py.counts_subwords(_requests(rewrites))


def _requests(rewrites: list[list[Any]]) -> list[dict[str, Any]]:
    return [{name: options} for name, options in rewrites]


def entry_schema() -> dict[str, Any]:
    """JSON schema of one entry of a set: a bare name, or {name: {option: value}}."""
    names, objects = [], []
    for info in pkgutil.iter_modules(transformers_py.rewrites.__path__):
        module = importlib.import_module(f"transformers_py.rewrites.{info.name}")
        options = getattr(module, "Options", None)
        if options is None:
            continue
        names.append(info.name)
        shape = {**TypeAdapter(options).json_schema(), "additionalProperties": False}
        objects.append(
            {
                "type": "object",
                "properties": {info.name: shape},
                "required": [info.name],
                "additionalProperties": False,
            }
        )
    return {"anyOf": [{"enum": names}, *objects]}


def _entry(value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and len(value) == 1 and all(isinstance(v, dict) for v in value.values()):
        return value
    raise ValueError("write a rewrite as name, or as {name: {option: value}}")


RewriteSet = list[Annotated[Any, BeforeValidator(_entry), WithJsonSchema(entry_schema())]]
