import json
import os
from pathlib import Path

import jsonschema
import pytest

from grid import executors, hosts
from grid.spec import document
from preprocessing.errors import BadInput

EXAMPLES = sorted(Path("configs/hosts").glob("*.yaml"))


def test_hosts_file(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yaml"
    core = min(os.sched_getaffinity(0))
    file.write_text(f"local: {{cores: [[{core}]], gpus: [], memory: 2 GiB}}\ntimeout_s: 5\n")
    [slot] = hosts.load(str(file)).make_slots()
    assert (slot.cores, slot.memory_bytes, slot.threads) == ((core,), 2 * 2**30, 1)
    file.write_text("local: {slotz: 2, memory: much}\nattempts: 0\n")
    with pytest.raises(BadInput) as caught:
        hosts.load(str(file))
    text = str(caught.value)
    assert "hosts.yaml:1:9: local.slotz: no such key; did you mean 'slots'?" in text
    assert "a size is written as 2 GiB" in text
    assert "hosts.yaml:2:1: attempts: " in text
    file.write_text("local: {gpus: [GPU-nope]}\n")
    with pytest.raises(BadInput, match="no GPU GPU-nope"):
        hosts.load(str(file)).make_slots()
    file.write_text("local: {gpus: [99]}\n")
    with pytest.raises(BadInput, match="no GPU 99"):
        hosts.load(str(file)).make_slots()


@pytest.mark.parametrize(
    "text, said",
    [
        (
            "local: {slots: 0, gpus: []}",
            "no slot for corpus, encode, naturalness, tokenizer, variant steps: local.slots must be",
        ),
        ("local: {train: false}", "no slot for evaluate, train steps: local.train must be true"),
    ],
)
def test_steps_without_a_slot(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match=said):
        executors.lookup("local", hosts.load(str(file)))


def test_the_local_executor_does_without_docker_hosts(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text("hosts: [{name: far, url: 'unix:///nowhere.sock', slots: 1}]")
    _, free = executors.lookup("local", hosts.load(str(file)))
    assert any("train" in slot.kinds for slot in free)


def test_the_committed_schema_is_the_generated_one() -> None:
    committed = json.loads(Path("docs/hosts.schema.json").read_text())
    assert committed == hosts.schema(), "run `make golden`"


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_editor_accepts_the_examples(file: Path) -> None:
    text = file.read_text()
    assert text.startswith("# yaml-language-server: $schema=../../docs/hosts.schema.json\n")
    jsonschema.validate(document.parse(text, name=str(file)).data, hosts.schema())
    assert hosts.load(str(file))


@pytest.mark.parametrize(
    "key, value", [("gpus", [0, "GPU-1"]), ("memory", "8 GiB"), ("memory", 2**33), ("slots", None)]
)
def test_an_editor_accepts_what_is_read(key: str, value: object) -> None:
    data = {"local": {key: value}}
    jsonschema.validate(data, hosts.schema())
    hosts.Hosts.model_validate(data)
