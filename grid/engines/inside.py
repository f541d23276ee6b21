"""What a container of the image finds: printed as JSON, for manifests and for `augrid doctor`."""

from __future__ import annotations

import json
import os
import sys
import time

from grid.store import provenance


def facts() -> dict[str, object]:
    """Versions of packages and Python, GPUs, user, and what time it is there."""
    return {
        "versions": provenance.versions(),
        "python": sys.version.split()[0],
        "gpus": provenance.gpus(),
        "uid": os.getuid(),
        "time": time.time(),
    }


if __name__ == "__main__":
    print(json.dumps(facts()))
