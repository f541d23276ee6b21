"""Trained models and unfinished trainings on disk: safetensors and JSON, never pickle."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.lookup import lookup
from preprocessing.errors import BadInput

FORMAT = 1
N = TypeVar("N", bound=nn.Module)


def digest(folder: Path) -> str:
    """SHA-256 of a tokenizer's file: a model knows the one that it was trained with."""
    return hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest()


def save_tensors(tensors: dict[str, Tensor], file: Path) -> None:
    """Writes contiguous copies on the CPU, flushed to the disk."""
    save_file({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, file)
    with file.open("rb") as handle:
        os.fsync(handle.fileno())


def weights(network: nn.Module) -> dict[str, Tensor]:
    """The trainable tensors by name; a tied one once."""
    return dict(network.named_parameters())


def read_tensors(file: Path) -> dict[str, Tensor]:
    """Raises BadInput if the file is missing, damaged, or no safetensors file."""
    try:
        return load_file(file)
    except (OSError, SafetensorError) as error:
        raise BadInput(f"{file}: not a readable safetensors file ({error})") from error


def load_network(network: N, file: Path) -> N:
    """Fills a network with a file's weights, ready for scoring; raises BadInput if they don't fit."""
    stored, own = read_tensors(file), weights(network)
    wrong = [
        f"{name}: {tuple(stored[name].shape) if name in stored else 'missing'} "
        f"instead of {tuple(own[name].shape) if name in own else 'nothing'}"
        for name in sorted(stored.keys() | own.keys())
        if name not in stored or name not in own or stored[name].shape != own[name].shape
    ]
    if wrong:
        raise BadInput(f"{file}: weights of another config: {'; '.join(wrong)}")
    if bad := [name for name, tensor in stored.items() if not torch.isfinite(tensor).all()]:
        raise BadInput(f"{file}: weights that are not finite: {', '.join(sorted(bad))}")
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(stored[name])
    return network.eval().requires_grad_(False)


def write_config(folder: Path, *, model: Any, vocab_size: int, tokenizer: str) -> None:
    """config.json of a trained model: what is needed to load it again."""
    text = {"format": FORMAT, "model": model.model_dump(mode="json"), "vocab_size": vocab_size}
    (folder / "config.json").write_text(json.dumps({**text, "tokenizer_sha256": tokenizer}, indent=1) + "\n")


def load_model(folder: Path, *, tokenizer: Path | None = None) -> Any:
    """The trained model of a folder; raises BadInput if it is damaged or belongs to another tokenizer."""
    try:
        stored = json.loads((folder / "config.json").read_text())
        kind, version = stored["model"]["kind"], stored["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{folder / 'config.json'}: not a model's config ({error!r})") from error
    if version != FORMAT:
        raise BadInput(f"{folder / 'config.json'}: format {version}; this version reads format {FORMAT}")
    if tokenizer is not None and stored["tokenizer_sha256"] != digest(tokenizer):
        raise BadInput(f"{folder}: was trained with another tokenizer than {tokenizer}")
    config = lookup(kind).Config.model_validate(stored["model"])
    network = lookup_network(kind)
    return network.load(config, stored["vocab_size"], folder / "model.safetensors")


def lookup_network(kind: str) -> Any:
    """The module `models.kinds.<kind>.network` (fit, load), which may import torch."""
    from importlib import import_module

    return import_module(f"{lookup(kind).__name__}.network")


class Scratch:
    """The last checkpoint of an unfinished training: replaced as a whole, believed only with the same key."""

    def __init__(self, folder: Path | None, key: str) -> None:
        self.folder, self.key = folder, key

    def save(self, tensors: dict[str, dict[str, Tensor]], state: dict[str, Any]) -> None:
        """Replaces the checkpoint: groups of tensors, and what can be said in JSON."""
        if self.folder is None:
            return
        new = self.folder / "new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        for group, members in tensors.items():
            save_tensors(members, new / f"{group}.safetensors")
        (new / "state.json").write_text(json.dumps({"key": self.key, **state}))
        old, last = self.folder / "old", self.folder / "last"
        shutil.rmtree(old, ignore_errors=True)
        if last.exists():
            last.rename(old)
        new.rename(last)
        shutil.rmtree(old, ignore_errors=True)

    def load(self) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]] | None:
        """The last complete checkpoint, or None."""
        for name in ("last", "old") if self.folder is not None else ():
            assert self.folder is not None
            folder = self.folder / name
            try:
                state = json.loads((folder / "state.json").read_text())
                groups = {f.stem: read_tensors(f) for f in sorted(folder.glob("*.safetensors"))}
            except (OSError, ValueError):
                continue
            if state["key"] == self.key:
                return groups, state
        return None
