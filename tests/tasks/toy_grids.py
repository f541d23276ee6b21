"""Grids of the toy tasks, which are found as users' own are: through AUGRID_TASKS, in other processes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TOYS = Path(__file__).parent / "toys"
KINDS = ("body_length", "which_docstring")
ENVIRONMENT = {**os.environ, "AUGRID_TASKS": str(TOYS)}

SPEC = """\
name: {name}
task: {task}
corpus:
  source: {{kind: directory, path: {code}}}
  unit: function
  functions: {{docstring: split}}
  keep: {{min_bytes: 1}}
  split: {{by: project, train: 0.5, valid: 0.17, test: 0.33, seed: 1}}
  shards: 2
rewrites:
  rename: [rename_variable]
  dead: [{{unused_variable: {{names: pseudo, values: mixed}}}}]
tokenizer: {{kind: bpe, vocab_size: 300}}
models:
{models}
placebo: false
naturalness: false
training: {{batch_tokens: 256, window: 64, max_steps: 20, validate_every: 5, early_stop: null}}
axes:
  rewrites: [rename, dead]
  intensity: [1.0]
  train_on: [original, original+augmented]
  seed: [1]
"""
MODELS = {
    "body_length": "  by_parameters: {kind: frequent}\n  by_names: {kind: frequent, given: names}",
    "which_docstring": "  bags: {kind: bags, d_model: 16}",
    "completion": "  small: {kind: ngram, order: 2}",
}


def write_code(folder: Path) -> Path:
    """A dozen functions in six projects; one of two has a local variable that can be renamed."""
    for number, noun in enumerate(("width", "price", "word", "path", "name", "digit")):
        text = ""
        for verb in ("add", "count"):
            lines = "".join(f"    {verb} = {verb} + {noun} * {k}\n" for k in range(4 * number % 11))
            begin = f"    {verb} = {number}\n" if verb == "add" else ""
            body = f"{begin}{lines}    return {verb}" if verb == "add" else f"    return len({noun})"
            more = ", other" * (number % 2)
            text += (
                f'def {verb}_{noun}({noun}{more}):\n    """{verb.title()} the {noun}.\n\n    It is one."""\n'
            )
            text += f"{body}\n\n\n"
        (folder / f"project_{number}").mkdir(parents=True)
        (folder / f"project_{number}" / "code.py").write_text(text)
    return folder


def write_spec(folder: Path, task: str, code: Path) -> Path:
    file = folder / f"{task}.yaml"
    file.write_text(SPEC.format(name=task, task=task, code=code, models=MODELS[task]))
    return file


def python(program: str, *arguments: Path | str, stdin: str = "") -> str:
    """What a Python program prints."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, env=ENVIRONMENT, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(program: str, *arguments: Path | str, stdin: str = "") -> Any:
    """The same, of a program that prints JSON."""
    return json.loads(python(program, *arguments, stdin=stdin))


def start(*arguments: Path | str) -> subprocess.Popen[str]:
    """The command augrid, begun."""
    command = [sys.executable, "-P", "-m", "grid", *map(str, arguments)]
    return subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def augrid(*arguments: Path | str, code: int = 0) -> str:
    """What the command prints; it must end with this exit code."""
    process = start(*arguments)
    out, _ = process.communicate(timeout=600)
    assert process.returncode == code, out
    return out
