from pathlib import Path

from grid.plan.durations import Past
from grid.plan.jobs import group, state
from grid.plan.opening import open_grid
from grid.store.finished import Store

SPEC = """\
name: timed
corpus: {{source: {{kind: directory, path: {code}}}, shards: 1}}
rewrites: {{rename: [rename_variable]}}
tokenizer: {{kind: bpe, vocab_size: 300}}
models: {{small: {{kind: gru, d_model: 8}}, bigram: {{kind: ngram, order: 2}}}}
axes: {{rewrites: [rename], intensity: [1.0], model: [small, bigram], seed: [1]}}
"""
WALL_S = {"gru": 100.0, "ngram": 2.0}


def test_steps_of_another_grid_tell_how_long_each_model_takes(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("x = 1\n")
    file = tmp_path / "timed.yaml"
    file.write_text(SPEC.format(code=tmp_path / "code"))
    done, store = open_grid(str(file)), Store(tmp_path / "store")
    for key, step in done.plan.steps.items():
        train = done.plan.steps[step.inputs["train"].keys[0]] if step.kind == "evaluate" else step
        wall_s = WALL_S[train.parameters["model"]["kind"]] if train.kind == "train" else 5.0
        with store.writing(step.kind, key) as folder:
            inputs = {role: {"kind": a.kind, "keys": list(a.keys)} for role, a in step.inputs.items()}
            about = {"document": step.document(), "inputs": inputs, "wall_s": wall_s, "finished": 0.0}
            store.publish(folder, step.kind, key, about)
    other = open_grid(str(file), ["axes.seed=[2]"])
    missing = state(other.plan, store).missing
    assert {step.kind for step in missing.values()} == {"variant", "encode", "train", "evaluate"}
    past = Past(store, other.plan, {step.kind for step in missing.values()})
    expected = {
        (job.kind, step.parameters.get("model", {}).get("kind")): past.step_s(step)
        for job in group(missing)
        for step in job.steps
        if step.kind != "evaluate"
    }
    assert expected == {
        ("variant", None): 5.0,
        ("encode", None): 5.0,
        ("train", "gru"): 100.0,
        ("train", "ngram"): 2.0,
    }
    scored = sorted({past.step_s(step) for step in missing.values() if step.kind == "evaluate"})
    assert scored == [2.0, 100.0]
    assert past.by_kind_s["variant"] == 5.0
    new = Past(Store(tmp_path / "empty"), other.plan, ["train"])
    assert {new.step_s(step) for step in missing.values()} == {None}
