"""The training loop of all networks: one step after the other, validated, resumable, the same bits on a
CPU.
"""

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from models.checkpoints import Scratch, save_tensors, weights
from models.errors import BadInput
from models.interface import Network, device
from models.job import CURVE, Job
from models.output import has_fast_bf16
from models.packing import Packer
from models.scoring import bits_per_token


def fit_network(network: Network, job: Job) -> dict[str, Any]:
    """Trains until `max_steps` or until validation no longer improves; leaves the best weights in `job.out`.

    Writes model.safetensors and training.parquet; returns facts for the manifest. Takes up a checkpoint of
    the
    same job from `job.scratch`, after which every weight has the bits that it would have had without the
    break.
    """
    return _Training(network, job).run()


def learning_rate(step: int, config: Any) -> float:
    """Linear warm-up, then half a cosine down to `final_learning_rate` (Loshchilov & Hutter 2017)."""
    warmup = max(1, round(config.warmup * config.max_steps))
    if step < warmup:
        return float(config.learning_rate * (step + 1) / warmup)
    done = (step - warmup) / max(1, config.max_steps - warmup)
    low = config.final_learning_rate
    return float(config.learning_rate * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * done))))


@dataclass
class _Progress:
    """What the loop knows besides tensors; all of it goes into a checkpoint."""

    step: int = 0
    best_bits: float = math.inf
    best_step: int = 0
    stale: int = 0  # validations without an improvement
    seconds: float = 0.0
    nats: float = 0.0  # of the subwords since the last validation
    tokens: int = 0


class _Training:
    def __init__(self, network: Network, job: Job) -> None:
        config = job.training
        self.job, self.config = job, config
        self.device = device()
        self.network = network.to(self.device)
        self.bf16 = config.precision == "bfloat16" or (config.precision == "auto" and has_fast_bf16())
        network.bf16 = self.bf16
        rows, window = network.shape(config)
        self.batch_subwords = rows * window
        self.packer = Packer(job.train, rows=rows, window=window, seed=job.seed)
        matrices = [p for p in network.parameters() if p.ndim > 1]
        vectors = [p for p in network.parameters() if p.ndim < 2]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": config.weight_decay},
                {"params": vectors, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
            betas=config.betas,
            fused=True,
        )
        self.carried: Tensor | None = None
        self.best: dict[str, Tensor] = {}
        self.curve: list[dict[str, Any]] = []
        self.progress = _Progress()
        self.scratch = Scratch(job.scratch, job.key)

    def run(self) -> dict[str, Any]:
        resumed = self._restore()
        started = saved = time.monotonic()
        before, first = self.progress.seconds, self.progress.step
        config, progress = self.config, self.progress
        self.network.train()
        while progress.step < config.max_steps:
            self._step()
            progress.seconds = before + time.monotonic() - started
            if progress.step % config.validate_every == 0 or progress.step == config.max_steps:
                self._validate()
                if config.early_stop and progress.stale >= config.early_stop.patience:
                    break
            if time.monotonic() - saved >= config.checkpoint_s:
                self._save()
                saved = time.monotonic()
        elapsed = time.monotonic() - started
        self._finish()
        done = (progress.step - first) * self.batch_subwords
        return {
            "parameters": self.network.parameter_count,
            "steps": progress.step,
            "best_step": progress.best_step,
            "valid_bits": progress.best_bits,
            "epochs": self.packer.epoch + self.packer.taken / len(self.job.train),
            "precision": "bfloat16" if self.bf16 else "float32",
            "device": str(self.device),
            "resumed_at": resumed,
            "seconds": progress.seconds,
            "subwords_per_s": done / elapsed if elapsed else None,
        }

    def _step(self) -> None:
        progress = self.progress
        inputs, targets = self.packer.batch()
        rate = learning_rate(progress.step, self.config)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss, self.carried = self.network.loss(
            torch.from_numpy(inputs).to(self.device), torch.from_numpy(targets).to(self.device), self.carried
        )
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip_norm)
        self.optimiser.step()
        progress.nats += float(loss.detach()) * targets.size
        progress.tokens += int(np.count_nonzero(self.job.vocabulary.ends[targets]))
        progress.step += 1

    def _validate(self) -> None:
        progress, config = self.progress, self.config
        self.network.eval()
        bits = bits_per_token(self.network, self.job.valid, self.job.vocabulary, config.valid_tokens)
        self.network.train()
        train_bits = progress.nats / math.log(2) / max(1, progress.tokens)
        if not math.isfinite(train_bits) or not math.isfinite(bits):
            raise BadInput(
                f"training diverged at step {progress.step}: training {train_bits}, validation {bits} bits "
                f"per token; try a smaller learning_rate than {config.learning_rate}"
            )
        progress.nats, progress.tokens = 0.0, 0
        margin = config.early_stop.min_delta_bits if config.early_stop else 0.0
        if bits < progress.best_bits - margin:
            progress.best_bits, progress.best_step, progress.stale = bits, progress.step, 0
            self.best = {name: p.detach().clone() for name, p in weights(self.network).items()}
        else:
            progress.stale += 1
        row = {
            "step": progress.step,
            "seconds": progress.seconds,
            "train_bits": train_bits,
            "valid_bits": bits,
            "learning_rate": learning_rate(progress.step - 1, config),
        }
        self.curve.append(row)
        self.job.report(
            {
                "kind": "training",
                **row,
                "max_steps": config.max_steps,
                "subwords_per_s": progress.step * self.batch_subwords / max(progress.seconds, 1e-9),
            }
        )

    def _finish(self) -> None:
        save_tensors(self.best, self.job.out / "model.safetensors")
        pq.write_table(pa.Table.from_pylist(self.curve, CURVE), self.job.out / "training.parquet")

    def _save(self) -> None:
        named = weights(self.network)
        moments = {
            f"{name}/{key}": value
            for name, parameter in named.items()
            for key, value in self.optimiser.state[parameter].items()
        }
        stream = {"rng": torch.get_rng_state()}
        if self.carried is not None:
            stream["carried"] = self.carried
        state = {"progress": vars(self.progress), "packer": self.packer.state(), "curve": self.curve}
        groups = {"weights": named, "best": self.best, "moments": moments, "stream": stream}
        self.scratch.save({name: group for name, group in groups.items() if group}, state)

    def _restore(self) -> int | None:
        """Takes up the last checkpoint; the step that it was made at, or None."""
        found = self.scratch.load()
        if found is None:
            return None
        groups, state = found
        named = weights(self.network)
        with torch.no_grad():
            for name, parameter in named.items():
                parameter.copy_(groups["weights"][name])
        for key, value in groups["moments"].items():
            name, entry = key.rsplit("/", 1)
            at = value if entry == "step" else value.to(self.device)
            self.optimiser.state[named[name]][entry] = at
        self.best = {name: tensor.to(self.device) for name, tensor in groups.get("best", {}).items()}
        torch.set_rng_state(groups["stream"]["rng"])
        if "carried" in groups["stream"]:
            self.carried = groups["stream"]["carried"].to(self.device)
        self.progress = _Progress(**state["progress"])
        self.curve = state["curve"]
        self.packer.restore(state["packer"])
        return self.progress.step
