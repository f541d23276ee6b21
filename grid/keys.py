"""Keys of steps: SHA-256 of canonical JSON, so that equal work has an equal name everywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces; NaN and infinities are refused."""
    return _encoder.encode(value)


def digest(value: object) -> str:
    """64 hex digits of the SHA-256 of the canonical JSON of `value`."""
    return hashlib.sha256(_encoder.encode(value).encode()).hexdigest()


def flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of nested mappings: dotted path and JSON of each, to compare two of them field by field."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, json.dumps(value)


def digest_of_keys(keys: Sequence[str]) -> str:
    """One name for a list of keys; a list of one has that key's own name."""
    return keys[0] if len(keys) == 1 else digest(list(keys))
