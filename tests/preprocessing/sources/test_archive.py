import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from preprocessing.errors import BadInput
from preprocessing.fetching.raw import Excluded, RawFile
from preprocessing.sources import archive

FILES = {"one/a.py": b"a = 1\n", "one/b/c.py": b"c = 1\n", "two/d.py": b"d = 1\n", "two/e.txt": b"e"}


def write_tar(
    path: Path, files: dict[str, bytes], mode: Any = "w:gz", extra: list[tarfile.TarInfo] | None = None
) -> Path:
    with tarfile.open(path, mode) as file:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
        for info in extra or []:
            file.addfile(info)
    return path


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return path


def read(path: Path, **fields: object) -> list[RawFile | Excluded]:
    return list(archive.read(archive.Config.model_validate({"path": str(path), **fields})))


@pytest.mark.parametrize(
    "name, mode", [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tar.xz", "w:xz"), ("a.zip", "")]
)
def test_members(tmp_path: Path, name: str, mode: str) -> None:
    path = write_tar(tmp_path / name, FILES, mode) if mode else write_zip(tmp_path / name, FILES)
    assert [(raw.project, raw.path, getattr(raw, "data", raw)) for raw in read(path)] == [
        ("one", "one/a.py", b"a = 1\n"), ("one", "one/b/c.py", b"c = 1\n"), ("two", "two/d.py", b"d = 1\n"),
    ]  # fmt: skip
    assert {raw.project for raw in read(path, project="archive")} == {"a"}


def test_wildcards_and_digest(tmp_path: Path) -> None:
    for name in "ab":
        write_zip(tmp_path / f"{name}.zip", {f"{name}/x.py": b"1"})
    config = archive.Config(path=str(tmp_path / "*.zip"))
    assert [raw.project for raw in archive.read(config)] == ["a", "b"]
    before = archive.raw_digest(config)
    write_zip(tmp_path / "b.zip", {"b/x.py": b"2"})
    assert archive.raw_digest(config) != before


def test_no_member_leads_out_and_nothing_is_written(tmp_path: Path) -> None:
    special = []
    for name, kind in (
        ("p/link.py", tarfile.SYMTYPE),
        ("p/hard.py", tarfile.LNKTYPE),
        ("p/pipe.py", tarfile.FIFOTYPE),
    ):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        special.append(info)
    evil = {"../out.py": b"1", "/abs.py": b"2", "a/../../b.py": b"3", "c:\\d.py": b"4", "fine/x.py": b"5"}
    tar = write_tar(tmp_path / "evil.tar.gz", evil, extra=special)
    zipped = write_zip(tmp_path / "evil.zip", evil)
    before = sorted(os.listdir(tmp_path))
    for path in (tar, zipped):
        found = {raw.path: getattr(raw, "reason", "kept") for raw in read(path)}
        assert found.pop("fine/x.py") == "kept"
        links = {name: found.pop(name) for name in list(found) if name.startswith("p/")}
        assert set(found.values()) == {"unsafe_path"}
        if path == tar:
            assert links == {"p/link.py": "link", "p/hard.py": "link", "p/pipe.py": "not_a_file"}
    assert sorted(os.listdir(tmp_path)) == before


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = write_zip(tmp_path / "bomb.zip", {f"p/{n}.py": b"0" * 1_000_000 for n in range(5)})
    with pytest.raises(BadInput, match="may be a bomb"):
        read(bomb, max_bytes=2_000_000)
    with pytest.raises(BadInput, match="may be a bomb"):
        read(
            write_tar(tmp_path / "b.tar.gz", {f"p/{n}.txt": b"0" * 1_000_000 for n in range(5)}),
            max_bytes=2_000_000,
        )
    with pytest.raises(BadInput, match="may be a bomb"):
        read(write_tar(tmp_path / "many.tar", dict.fromkeys("abcdef", b""), "w"), max_files=5)
    monkeypatch.setattr("preprocessing.fetching.files.MAX_READ_BYTES", 1000)
    assert {getattr(raw, "reason", "kept") for raw in read(bomb)} == {"too_large"}


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x1f\x8b\x08\x00broken", b"PK\x03\x04broken"])
def test_broken_archives_stop_the_run_with_a_message(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.tar.gz"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"can't read archive .*broken.tar.gz"):
        read(path)


def test_truncated(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "t.tar.gz", {"p/a.py": os.urandom(100_000)})
    path.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises(BadInput, match="can't read archive"):
        read(path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no file"):
        read(tmp_path / "*.zip")
