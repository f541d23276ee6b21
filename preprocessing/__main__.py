"""`python -m preprocessing INPUT OUTPUT [--spec SPEC]`: what the container runs."""

import argparse
import os
import sys
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from preprocessing import interpreter
from preprocessing.errors import BadInput
from preprocessing.prepare import PrepareConfig, prepare


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if all went well, 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m preprocessing", description=prepare.__doc__)
    parser.add_argument("input", type=Path, help="folder of .py files")
    parser.add_argument("output", type=Path, help="empty folder")
    parser.add_argument("--spec", type=Path, help="YAML with the keys corpus, tokens, tokenizer")
    parser.add_argument("--jobs", type=int, default=1, help="processes that clean and encode")
    given = parser.parse_args(arguments)
    try:
        facts = prepare(given.input, given.output, _read(given.spec), workers=given.jobs)
    except (BadInput, ValidationError, YAMLError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    for name, counts in facts["corpus"]["splits"].items():
        print(f"{name}: " + ", ".join(f"{value:,} {what}" for what, value in counts.items()))
    print(
        "left out: "
        + (", ".join(f"{n:,} {why}" for why, n in facts["corpus"]["excluded"].items()) or "nothing")
    )
    return 0


def _read(spec: Path | None) -> PrepareConfig:
    if spec is None:
        return PrepareConfig()
    return PrepareConfig.model_validate(YAML(typ="safe").load(spec.read_text(encoding="utf-8")) or {})


if __name__ == "__main__":
    os.environ.update(interpreter.environment())
    sys.exit(main())
