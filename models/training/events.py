"""A learning curve while it grows, as event files of TensorBoard, which is an optional package."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from preprocessing.errors import BadInput

NOT_SHOWN = ("kind", "step", "seconds", "max_steps", "eta_s")


class Events:
    """Scalars by step in a folder; does nothing where there is no folder."""

    def __init__(self, folder: Path | None, *, first_step: int) -> None:
        """Hides what an earlier attempt drew from `first_step` on.

        Raises:
            BadInput: the package tensorboard isn't installed.
        """
        self._writer: Any = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise BadInput(
                f"training.tensorboard: the package tensorboard is missing ({error}); "
                "install it with: pip install 'augrid[tensorboard]', or set the field to false"
            ) from error
        self._writer = SummaryWriter(str(folder), purge_step=first_step)

    def write(self, row: Mapping[str, Any]) -> None:
        """One scalar for each number of a row of the curve, at its `step`."""
        if self._writer is not None:
            for name, value in row.items():
                if name not in NOT_SHOWN:
                    self._writer.add_scalar(name, value, row["step"])

    def close(self) -> None:
        """Flushes to the disk."""
        if self._writer is not None:
            self._writer.close()
