"""One training on several GPUs of a host, or in several processes on CPUs, started by torchrun.

The order goes to the processes as a file, and so do reports and facts come back.
"""

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from models.training.training_job import Report
from preprocessing import interpreter
from preprocessing.errors import BadInput

POLL_S = 0.1

Train = Callable[[dict[str, Any], Report], dict[str, Any]]
"""Does what an order says, in this process, and returns the facts."""


def run(module: str, order: dict[str, Any], devices: int, report: Report) -> dict[str, Any]:
    """The facts of one training by several processes, each `python -m MODULE FOLDER`, which calls `main`.

    `order` is what they are told, as JSON. Raises BadInput as they do, and if fewer GPUs than asked for can
    be seen (none at all means CPUs).
    """
    n, seen = devices, torch.cuda.device_count()
    if 0 < seen < n:
        raise BadInput(f"training.devices is {n}, and {seen} GPU{'s' * (seen > 1)} can be seen")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "order.json").write_text(json.dumps(order))
        (folder / "reports").touch()
        asked = ("--standalone", f"--nproc-per-node={n}", "-m", module, name)
        command = interpreter.command("torch.distributed.run", *asked)
        started = subprocess.Popen(command, env=interpreter.environment())  # noqa: S603 - no shell
        with started as process, (folder / "reports").open() as reports:
            ended = False
            while not ended:
                ended = process.poll() is not None
                for line in reports:
                    report(json.loads(line))
                time.sleep(POLL_S)
        results = [json.loads(file.read_text()) for file in folder.glob("result-*.json")]
    if not results:
        raise RuntimeError(f"torchrun ended with {process.returncode} and no result")
    result = max(results, key=lambda result: (result.get("bad_input", False), "error" in result))
    if "error" in result:
        raise (BadInput if result["bad_input"] else RuntimeError)(result["error"])
    facts: dict[str, Any] = result["facts"]
    return facts


def main(folder: Path, train: Train) -> int:
    """One of the processes. Only the first reports, saves checkpoints and leaves a model."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    torch.distributed.init_process_group("nccl" if gpu else "gloo")
    rank = torch.distributed.get_rank()
    try:
        result: dict[str, Any] = {"facts": _train(folder, train, first=rank == 0)}
    except Exception as error:  # becomes the exception of the process that asked
        result = {"error": str(error), "bad_input": isinstance(error, BadInput)}
    if rank == 0 or "error" in result:
        (folder / f"result-{rank}.json").write_text(json.dumps(result))
    if "error" in result:
        os._exit(1)  # the others may wait in a sum for ever; torchrun ends them
    torch.distributed.destroy_process_group()
    return 0


def _train(folder: Path, train: Train, *, first: bool) -> dict[str, Any]:
    order = json.loads((folder / "order.json").read_text())
    with (folder / "reports").open("a", buffering=1) as reports, tempfile.TemporaryDirectory() as nowhere:

        def report(row: dict[str, Any]) -> None:
            if first:
                reports.write(json.dumps(row) + "\n")

        return train(order if first else {**order, "out": nowhere, "events": None}, report)


def _end_with(parent: int) -> None:
    """Ends this process when its parent is gone: a kill of the asking process reaches torchrun only."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
