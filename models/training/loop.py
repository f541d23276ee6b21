"""The training loop of all networks: step by step, validated, resumable; on a CPU always the same bits."""

import math
import time
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from models.checkpoints import Scratch, save_tensors, weights
from models.interface import Network, Trainable, device
from models.training import budget
from models.training.events import Events
from models.training.flops import training_flops, utilisation
from models.training.gradients import Gradients
from models.training.objective import Joint, OfOriginals, Separable
from models.training.output_layer import has_fast_bf16
from models.training.process_group import ProcessGroup
from models.training.training_job import CURVE, TrainingJob
from preprocessing.errors import BadInput


def fit_network(network: Trainable, job: TrainingJob) -> dict[str, Any]:
    """Trains until `max_steps` or until validation no longer improves; leaves the best weights in `job.out`.

    Writes model.safetensors and training.parquet; returns facts for the manifest. Takes up a checkpoint of
    the same job from `job.scratch`; every weight then has the bits that it would have had without the break.
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


def compiled(network: Trainable, wanted: str, gpu: bool) -> bool:
    """Compiles a network where that pays; under `auto` what can't be compiled stays as it is."""
    if wanted == "off" or (wanted == "auto" and not gpu):
        return False
    if wanted == "auto":
        import torch._dynamo

        torch._dynamo.config.suppress_errors = True
    return network.compile_loss()


MEMORY = 0.98  # of the running mean
MAX_ROLLBACKS = 3
TELL_EVERY_S = 2.0  # between validations

Snapshot = tuple[dict[str, dict[str, Tensor]], dict[str, Any]]


@dataclass
class _Progress:
    """What the loop knows besides tensors; all of it goes into a checkpoint."""

    step: int = 0
    best_bits: float = math.inf
    best_step: int = 0
    stale: int = 0  # validations without an improvement
    seconds: float = 0.0
    nats: float = 0.0  # of the subwords since the last validation
    units: int = 0
    typical: float | None = None  # running mean of the loss


def _optimiser(network: Trainable, config: Any) -> torch.optim.Optimizer:
    """AdamW that leaves biases and gains without weight decay."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim < 2]
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=True)


class _Training:
    def __init__(self, network: Trainable, job: TrainingJob) -> None:
        config, objective = job.training, job.objective
        if not isinstance(objective, Separable | Joint):
            raise BadInput(f"{type(network).__name__} learns from batches, which this task doesn't have")
        self.job, self.config = job, config
        self.device = device()
        self.network = network.to(self.device)
        gpu = self.device.type == "cuda"  # on CPUs the bits of a key don't depend on the kind of processor
        network.bf16 = config.precision == "bfloat16" or (
            config.precision == "auto" and gpu and has_fast_bf16()
        )
        self.compiled = compiled(network, config.compile, gpu)
        self.progress = _Progress()
        self.ranks = ProcessGroup()
        self.objective = objective
        self.batches = objective.batches(network, config, job.seed)
        n_steps = budget.steps(config, network, objective, self.batches.subwords)
        self.config = config = config.model_copy(update={"max_steps": n_steps})
        self.gradients = Gradients(
            self.network, objective, self.ranks, self.batches.rows, config.micro_batches
        )
        self._own_noise()
        self.optimiser = _optimiser(self.network, config)
        self.best: dict[str, Tensor] = {}
        self.curve: list[dict[str, Any]] = []
        self.rollbacks: list[dict[str, Any]] = []
        self.good: Snapshot | None = None
        self.scratch = Scratch(job.scratch, job.key)

    def run(self) -> dict[str, Any]:
        resumed = self._restore()
        self.events = Events(self.job.events, first_step=self.progress.step + 1)
        started = saved = self.told = time.monotonic()
        before, first = self.progress.seconds, self.progress.step
        config = self.config
        self.network.train()
        self.good = self._snapshot()
        while self.progress.step < config.max_steps:
            if not self._step():
                self._roll_back()
                continue
            progress = self.progress
            progress.seconds = before + time.monotonic() - started
            if progress.step % config.validate_every == 0 or progress.step == config.max_steps:
                self._validate()
                if self.curve[-1]["valid_bits"] < self.job.enough_bits:
                    break
                if config.early_stop and progress.stale >= config.early_stop.patience:
                    break
                self.good = self._snapshot()
            elif time.monotonic() - self.told >= TELL_EVERY_S:
                self._tell()
            if self.ranks.agreed(time.monotonic() - saved) >= config.checkpoint_s:
                self._save()
                saved = time.monotonic()
        elapsed = time.monotonic() - started
        self.events.close()
        self._finish()
        progress = self.progress
        done = (progress.step - first) * self.batches.subwords
        flops = budget.step_flops(config, self.network, self.batches.subwords) * progress.step
        seen = self.objective.seen(self.batches) if isinstance(self.objective, OfOriginals) else {}
        return {
            "parameters": self.network.parameter_count,
            "flops": flops or None,
            **seen,
            "steps": progress.step,
            "best_step": progress.best_step,
            "valid_bits": progress.best_bits,
            "epochs": self.batches.epochs,
            "precision": "bfloat16" if self.network.bf16 else "float32",
            "device": str(self.device),
            "devices": self.ranks.size,
            "compiled": self.compiled,
            "micro_batches": self.gradients.micro_batches,
            "rollbacks": self.rollbacks,
            "resumed_at": resumed,
            "seconds": progress.seconds,
            "subwords_per_s": done / elapsed if elapsed else None,
        }

    def _step(self) -> bool:
        """One optimiser step; False, and no step, if the loss or its gradient is beyond reason."""
        progress = self.progress
        batch = self.batches.batch()
        rate = learning_rate(progress.step, self.config) * 0.5 ** len(self.rollbacks)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss = self.gradients.of([torch.from_numpy(array[self.gradients.own_rows]) for array in batch])
        loss = self.ranks.add([p.grad for p in self.network.parameters() if p.grad is not None], loss)
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip_norm)
        typical = loss if progress.typical is None else progress.typical
        if (
            not math.isfinite(loss)
            or not math.isfinite(float(norm))
            or loss > typical + self.objective.leap_nats
        ):
            return False
        self.optimiser.step()
        progress.typical = MEMORY * typical + (1 - MEMORY) * loss
        predictions, units = self.objective.weigh(batch)
        progress.nats += loss * predictions
        progress.units += units
        progress.step += 1
        return True

    def _roll_back(self) -> None:
        """Back to the last good state, with half the step; gives up after the third time."""
        self.rollbacks.append({"step": self.progress.step, "typical_nats": self.progress.typical})
        if len(self.rollbacks) >= MAX_ROLLBACKS:
            raise BadInput(
                f"training diverged {MAX_ROLLBACKS} times, at steps "
                f"{', '.join(str(r['step']) for r in self.rollbacks)}, with the step halved after each; "
                f"try a smaller learning_rate than {self.config.learning_rate}"
            )
        assert self.good is not None
        self._adopt(*self.good)
        self.job.report({"kind": "rollback", **self.rollbacks[-1], "back_to": self.progress.step})

    def _validate(self) -> None:
        progress, config = self.progress, self.config
        self.network.eval()
        bits = math.nan
        if self.ranks.number == 0:
            bits = self.objective.validate(self.network, config)
        bits = self.ranks.agreed(bits)
        self.network.train()
        train_bits = self._train_bits()
        progress.nats, progress.units = 0.0, 0
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
        told = {"kind": "training", **row, "max_steps": config.max_steps, **self._speed()}
        self.job.report(told)
        self.events.write(told)
        self.told = time.monotonic()

    def _train_bits(self) -> float:
        """Bits per unit of the training batches since the last validation."""
        return self.progress.nats / math.log(2) / max(1, self.progress.units)

    def _tell(self) -> None:
        """How far it is, between two validations."""
        at = {"step": self.progress.step, "max_steps": self.config.max_steps}
        self.job.report({"kind": "progress", **at, "train_bits": self._train_bits(), **self._speed()})
        self.told = time.monotonic()

    def _speed(self) -> dict[str, float]:
        """Subwords per second, seconds that are left at most, and on a known GPU the share of its peak."""
        progress = self.progress
        per_step = progress.seconds / max(1, progress.step)
        rate = self.batches.subwords / max(per_step, 1e-9)
        told = {"subwords_per_s": rate, "eta_s": per_step * (self.config.max_steps - progress.step)}
        if self.device.type == "cuda" and isinstance(self.network, Network):
            span = self.network.shape(self.config)[1]
            name = torch.cuda.get_device_name(self.device)
            if (
                share := utilisation(rate / self.ranks.size * training_flops(self.network, span), name)
            ) is not None:
                told["mfu"] = share
        return told

    def _finish(self) -> None:
        if not self.best:
            raise BadInput("no validation gave a number: the model's probabilities are broken or all zero")
        save_tensors(self.best, self.job.out / "model.safetensors")
        pq.write_table(pa.Table.from_pylist(self.curve, CURVE), self.job.out / "training.parquet")

    def _snapshot(self) -> Snapshot:
        """Everything that the rest of the training depends on, copied."""
        named = weights(self.network)
        moments = {
            f"{name}/{key}": value
            for name, parameter in named.items()
            for key, value in self.optimiser.state[parameter].items()
        }
        stream = {"rng": torch.get_rng_state()}
        if self.gradients.carried is not None:
            stream["carried"] = self.gradients.carried
        groups = {"weights": named, "best": self.best, "moments": moments, "stream": stream}
        copied = {
            group: {name: tensor.detach().clone() for name, tensor in members.items()}
            for group, members in groups.items()
        }
        progress = dict(vars(self.progress))
        return copied, {"progress": progress, "packer": self.batches.state(), "curve": list(self.curve)}

    def _adopt(self, groups: dict[str, dict[str, Tensor]], state: dict[str, Any]) -> None:
        named = weights(self.network)
        with torch.no_grad():
            for name, parameter in named.items():
                parameter.copy_(groups["weights"][name])
        self.optimiser.state.clear()
        for key, value in groups.get("moments", {}).items():
            name, entry = key.rsplit("/", 1)
            at = value.clone() if entry == "step" else value.to(self.device, copy=True)
            self.optimiser.state[named[name]][entry] = at
        self.best = {name: tensor.to(self.device) for name, tensor in groups.get("best", {}).items()}
        torch.set_rng_state(groups["stream"]["rng"])
        carried = groups["stream"].get("carried")
        self.gradients.carried = None if carried is None else carried.to(self.device)
        self.progress = _Progress(**state["progress"])
        self.curve = list(state["curve"])
        self.batches.restore(state["packer"])

    def _save(self) -> None:
        groups, state = self._snapshot()
        if self.gradients.carried is not None:
            groups["stream"]["carried"] = self.ranks.whole(self.gradients.carried, self.batches.rows, dim=1)
        if self.ranks.number:
            return
        extra = {"rollbacks": self.rollbacks, "micro_batches": self.gradients.micro_batches}
        self.scratch.save({name: group for name, group in groups.items() if group}, {**state, **extra})

    def _own_noise(self) -> None:
        """Other random numbers for each further process, whose dropout would else be that of the first."""
        if self.ranks.number:
            torch.manual_seed(hash((torch.initial_seed(), self.ranks.number, self.progress.step)) % 2**63)

    def _restore(self) -> int | None:
        """Takes up the last checkpoint; the step that it was made at, or None."""
        found = self.scratch.load()
        self.ranks.agreed(0.0)  # nobody replaces what another one reads
        if found is None:
            return None
        groups, state = found
        self.rollbacks, self.gradients.micro_batches = state.pop("rollbacks"), state.pop("micro_batches")
        if "carried" in groups["stream"]:
            groups["stream"]["carried"] = groups["stream"]["carried"][:, self.gradients.own_rows]
        self._adopt(groups, state)
        self._own_noise()
        return self.progress.step
