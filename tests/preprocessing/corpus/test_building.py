import hashlib
import os
import shutil
import socket
import stat
import sysconfig
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from preprocessing.corpus import building
from preprocessing.corpus.building import CorpusConfig
from preprocessing.corpus.cleaning import CleaningRules, KeepConfig, clean
from preprocessing.errors import BadInput
from preprocessing.fetching import files
from preprocessing.fetching.raw import Excluded, RawFile


def configure(folder: Path, **fields: Any) -> CorpusConfig:
    return CorpusConfig.model_validate({"source": {"kind": "directory", "path": str(folder)}, **fields})


def build(config: CorpusConfig, out: Path) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, str]]:
    """Facts, rows of all shards, and path → reason of what is excluded."""
    out.mkdir()
    facts = building.build(config, out)
    rows = [row for path in building.shard_paths(out) for row in pq.read_table(path).to_pylist()]
    excluded = {row["path"]: row["reason"] for row in pq.read_table(out / "excluded.parquet").to_pylist()}
    return facts, rows, excluded


GOOD = {f"p{n}/a.py": f"x = {n}\n" for n in range(5)}


def test_rows(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    text = "x = 'naïve'\r\n# why\r\n"
    facts, rows, _ = build(configure(make_folder(GOOD | {"p5/b.py": text})), tmp_path / "out")
    (row,) = [row for row in rows if row["path"] == "p5/b.py"]
    assert row["text"] == text
    assert row["project"] == "p5"
    assert row["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert row["sample"] == hashlib.sha256(f"p5\0p5/b.py\0{text}".encode()).hexdigest()[:16]
    assert (row["n_tokens"], row["n_bytes"]) == (4, len(text.encode()))
    assert sum(split["samples"] for split in facts["splits"].values()) == len(rows) == 6


WORST = {
    "w/null.py": (b"x = 1\0\n", "null_byte"),
    "w/latin1.py": (b"x = '\xe4'\n", "undecodable"),
    "w/utf16.py": ("x = 1\n".encode("utf-16"), "undecodable"),
    "w/cookie.py": (b"# coding: klingon\nx = 1\n", "undecodable"),
    "w/rot13.py": (b"# coding: rot13\nk = 1\n", "undecodable"),
    "w/python2.py": (b"print 'x'\n", "syntax_error"),
    "w/outside.py": (b"return 1\n", "syntax_error"),
    "w/digits.py": (b"x = " + b"1" * 10_000 + b"\n", "syntax_error"),
    "w/open.py": (b"x = '''\n", "untokenizable"),
    "w/long.py": (b"x = '" + b"a" * 10_000_000 + b"'\n", "too_large"),
    "w/deep.py": (b"(" * 2000 + b")" * 2000, "too_deep"),
    "w/indented.py": (b"".join(b" " * n + b"if x:\n" for n in range(300)), "too_deep"),
    "w/unary.py": (b"x = " + b"-" * 100_000 + b"1\n", "too_deep"),
    "w/empty.py": (b"", "too_small"),
    "w/comment.py": (b"# nothing\n", "no_tokens"),
}


def test_worst_files_are_excluded_with_a_reason(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(GOOD | {path: content for path, (content, _) in WORST.items()})
    keep = {"max_line_chars": None, "max_mean_line_chars": None}
    facts, rows, excluded = build(configure(folder, keep=keep), tmp_path / "out")
    assert excluded == {path: reason for path, (_, reason) in WORST.items()}
    assert len(rows) == len(GOOD)
    assert sum(facts["excluded"].values()) == len(WORST)


def test_latin1_with_a_cookie_and_a_bom_are_read(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    odd = {"a/c.py": "# coding: latin-1\nx = 'ä'\n".encode("latin-1"), "b/b.py": b"\xef\xbb\xbfx = 1\n"}
    _, rows, excluded = build(configure(make_folder(odd | GOOD), duplicates="none"), tmp_path / "out")
    texts = {row["path"]: row["text"] for row in rows}
    assert texts["a/c.py"].endswith("'ä'\n")
    assert texts["b/b.py"] == "x = 1\n"
    assert not excluded


def test_links_pipes_and_odd_names(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(GOOD)
    (folder / "p0" / "loop").symlink_to(folder)
    (folder / "p0" / "link.py").symlink_to("/etc/passwd")
    os.mkfifo(folder / "p0" / "pipe.py")
    (folder / "p0" / os.fsdecode(b"\xff.py")).write_text("y = 1\n")
    _, rows, excluded = build(configure(folder), tmp_path / "out")
    assert excluded == {"p0/link.py": "link", "p0/pipe.py": "not_a_file"}
    assert "p0/\ufffd.py" in {row["path"] for row in rows}


def test_filters_say_what_they_left_out(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    sized = {
        "s/small.py": "x\n",
        "s/large.py": "x = 1\n" * 30,
        "s/line.py": "x = '" + "a" * 80 + "'\n",
        "s/tokens.py": "x+x+x+x+x+x+x+x+x+x+x+x\n",
    }
    keep = {"min_bytes": 3, "max_bytes": 100, "max_line_chars": 70, "max_tokens": 20}
    _, _, excluded = build(configure(make_folder(GOOD | sized), keep=keep), tmp_path / "out")
    assert excluded == {
        "s/small.py": "too_small",
        "s/large.py": "too_large",
        "s/line.py": "long_line",
        "s/tokens.py": "too_many_tokens",
    }


def test_of_exact_duplicates_the_first_stays(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(GOOD | {"p7/copy.py": "x   =  3\r\n"})
    _, _, excluded = build(configure(folder), tmp_path / "exact")
    assert excluded == {"p7/copy.py": "duplicate"}
    _, rows, excluded = build(configure(folder, duplicates="none"), tmp_path / "none")
    assert not excluded
    assert len({row["sample"] for row in rows}) == 6


def test_max_samples_draws_by_the_seed(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder({f"p{n}/a.py": f"x = {n}\n" for n in range(40)})
    drawn = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        config = configure(folder, keep={"max_samples": 10}, split={"seed": seed})
        _, rows, excluded = build(config, tmp_path / name)
        assert len(rows) == 10
        assert set(excluded.values()) == {"not_drawn"}
        drawn[name] = {row["path"] for row in rows}
    assert drawn["a"] == drawn["b"] != drawn["c"]


def test_same_input_same_files(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    config = configure(make_folder(GOOD))
    for name in "ab":
        build(config, tmp_path / name)
    for path in building.shard_paths(tmp_path / "a"):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    assert sorted(os.listdir(tmp_path / "a")) == [
        "excluded.parquet",
        *(f"shard-{n:05}.parquet" for n in range(4)),
    ]


def test_digest_follows_names_and_contents(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(GOOD)
    before = building.raw_digest(configure(folder))
    assert building.raw_digest(configure(folder, duplicates="none")) == before
    (folder / "p0" / "a.py").rename(folder / "p0" / "b.py")
    renamed = building.raw_digest(configure(folder))
    (folder / "p0" / "b.py").write_text("x = 9\n")
    assert len({before, renamed, building.raw_digest(configure(folder))}) == 3


def test_empty_corpus_names_filters_and_counts(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(GOOD | {"q/bad.py": "(" * 2000})
    with pytest.raises(BadInput, match=r"min_bytes 1000.*5 too_small, 1 long_line"):
        build(configure(folder, keep={"min_bytes": 1000}), tmp_path / "out")
    with pytest.raises(BadInput, match="the source is empty"):
        build(configure(make_folder({"a.txt": ""}, "empty")), tmp_path / "none")


def test_bad_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"'directory', .*'stdlib'"):
        CorpusConfig.model_validate({"source": {"kind": "stdlob"}})
    with pytest.raises(ValidationError, match="add up to 1"):
        CorpusConfig.model_validate({"source": {"kind": "stdlib"}, "split": {"train": 0.9}})
    with pytest.raises(BadInput, match="no folder"):
        building.raw_digest(configure(tmp_path / "nowhere"))


def long_text(start: int) -> str:
    return "".join(f"name{n} = name{n}\n" for n in range(start, start + 100))


def test_near_duplicates_go_or_stay_together(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    files = {f"p{n}/a.py": long_text(1000 * n) for n in range(8)} | {
        f"q{n}/a.py": long_text(n) for n in range(1, 5)
    }
    folder = make_folder(files)
    _, _, excluded = build(configure(folder, duplicates="near"), tmp_path / "reduced")
    assert excluded == {f"q{n}/a.py": "near_duplicate" for n in range(1, 5)}
    near = {"clusters": "together"}
    for seed in range(5):
        config = configure(folder, duplicates="near", near=near, split={"seed": seed})
        _, rows, excluded = build(config, tmp_path / f"together{seed}")
        assert not excluded
        cluster = [row["split"] for row in rows if row["project"] in ("p0", "q1", "q2", "q3", "q4")]
        assert len(cluster) == 5
        assert len(set(cluster)) == 1


def test_functions_are_samples(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    files = {
        f"p{n}/a.py": f'def f{n}():\n    """Doc {n}."""\n    return {n}\nclass A:\n    def g{n}(self): pass\n'
        for n in range(4)
    }
    config = configure(make_folder(files), unit="function", functions={"docstring": "split"})
    _, rows, _ = build(config, tmp_path / "out")
    texts = {row["path"]: (row["text"], row["docstring"]) for row in rows}
    assert texts["p1/a.py:f1"] == ("def f1():\n    return 1\n", "Doc 1.")
    assert texts["p2/a.py:A.g2"] == ("def g2(self): pass\n", None)
    assert len(rows) == 8


def test_given_splits(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(GOOD)
    table = tmp_path / "splits.csv"
    table.write_text("project,split\np0,train\np1,train\np2,valid\np3,test\np4,test\n")
    config = configure(folder, split={"by": "given", "file": str(table)})
    _, rows, _ = build(config, tmp_path / "out")
    assert {row["project"]: row["split"] for row in rows} == {
        "p0": "train", "p1": "train", "p2": "valid", "p3": "test", "p4": "test",
    }  # fmt: skip
    digest = building.raw_digest(config)
    table.write_text("project,split\np0,train\n")
    assert building.raw_digest(config) != digest
    with pytest.raises(BadInput, match=r"4 of 5 samples have no split \(first: p1: p1/a.py\)"):
        build(config, tmp_path / "bad")
    with pytest.raises(BadInput, match="the source gives none"):
        build(configure(folder, split={"by": "given"}), tmp_path / "none")


def test_workers_change_nothing(
    make_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_BATCH_BYTES", 8)
    config = configure(make_folder(GOOD | {"q/bad.py": "("}), shards=1)
    for workers in (1, 2):
        (tmp_path / f"out{workers}").mkdir()
        building.build(config, tmp_path / f"out{workers}", workers=workers)
    for name in ("shard-00000.parquet", "excluded.parquet"):
        assert (tmp_path / "out1" / name).read_bytes() == (tmp_path / "out2" / name).read_bytes()


ODD = [
    "\f\n\fx = 1\n\f",
    "x = \\\n\\\n1",
    "if x:\n\ty\nelse:\n        z\n",
    "if x: pass; y;\n",
    "class A: x: int; y = (z := 1)\n",
    "(\n# why\nx) = 1",
    "@(a := b)[0]\ndef f(a, /, b, *, c): ...\n",
    "for x in *a, *b: print(*a, *b, **c)\n",
    "match = case = type = _ = 0\nmatch match:\n  case {'a': [*_, 1 | 2]} if case: type\n",
    "async def f():\n  x = [x async for x in y if await z], (yield)\n",
    "with (open(a) as b, open(c) as d,): pass\n",
    "x = 0XfF_F + 0o17 + 1_0.0e+1_0J + 1if 1else 2\n",
    "x = 'a' \"b\" f'{c}' + rb''.decode() + u''\n",
    "try: pass\nexcept* (A, B): raise\n",
    "x = lambda *, a=1, **b: not-~+1; del (a), [b], c[...:, ::2]\n",
    "ª = µ = ﬁ = 变量 = 1\n",
    "if 1:\r    x = 1\r\n    y = '''\r\n'''\n",
    "def f():\n    global a; b = a\n#\n    # odd\n  # odder\n    return f\n",
]


def test_odd_layout_and_syntax_is_kept_as_it_is(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder({f"p{n}/a.py": text for n, text in enumerate(ODD)})
    _, rows, excluded = build(configure(folder), tmp_path / "out")
    assert not excluded
    assert {row["path"]: row["text"] for row in rows} == {f"p{n}/a.py": text for n, text in enumerate(ODD)}


DEEP = {
    "brackets": "(" * 5000 + ")" * 5000,
    "calls": "x" + "()" * 50_000,
    "attributes": "x" + ".a" * 50_000,
    "negation": "not " * 50_000 + "x",
    "lambdas": "lambda: " * 5000 + "x",
    "conditions": "1 if x else " * 5000 + "1",
    "powers": "**".join(["1"] * 5000),
    "branches": "if x: pass\n" + "elif x: pass\n" * 5000,
    "blocks": "".join(" " * n + "if x:\n" for n in range(5000)),
    "fstrings": "f'{" * 5000,
    "formats": "f'" + "{x:" * 5000,
    "braces": "f'''" + "{" * 1_000_001,
    "subscripts": "x" + "[0" * 5000 + "]" * 5000,
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_nesting_is_no_crash(name: str) -> None:
    """What one Python's compiler finds too deep another may take: it is kept or excluded, and quickly."""
    keep = KeepConfig(max_line_chars=None, max_mean_line_chars=None)
    (cleaned,) = clean(RawFile(project="p", path="a.py", data=DEEP[name]), CleaningRules(keep=keep))
    assert not isinstance(cleaned, Excluded) or cleaned.reason in ("too_deep", "untokenizable", "too_large")


def test_a_line_of_fifty_megabytes(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(
        GOOD | {"w/line.py": b"x = 1 #" + b"a" * 50_000_000, "w/huge.py": b"\n" * 70_000_000}
    )
    _, _, excluded = build(configure(folder), tmp_path / "out")
    assert excluded == {"w/huge.py": "too_large", "w/line.py": "too_large"}


def test_files_that_vanish_during_the_run(
    make_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(GOOD | {"p0/gone.py": "x = 9\n", "p9/gone/a.py": "x = 10\n"})
    config = configure(folder)
    load = files.load

    def vanish(root: Path, relative: str, **more: str) -> RawFile | Excluded:
        if relative == "p0/a.py":
            (folder / "p0" / "gone.py").unlink(missing_ok=True)
            shutil.rmtree(folder / "p9", ignore_errors=True)
        return load(root, relative, **more)

    monkeypatch.setattr(files, "load", vanish)
    _, _, excluded = build(config, tmp_path / "out")
    assert excluded == {"p0/gone.py": "unreadable", "p9/": "unreadable"}


def test_a_device_and_a_socket_are_no_files(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_folder(GOOD)
    with socket.socket(socket.AF_UNIX) as unix:
        here = Path.cwd()
        os.chdir(folder)  # addresses are short
        unix.bind("socket.py")
        os.chdir(here)
        expected = {"socket.py": "unreadable"}
        if os.geteuid() == 0:
            os.mknod(folder / "zero.py", stat.S_IFCHR | 0o666, os.makedev(1, 5))
            expected["zero.py"] = "not_a_file"
        os.mkfifo(folder / ".gitignore")
        _, rows, excluded = build(configure(folder), tmp_path / "out")
    assert excluded.keys() == expected.keys()
    assert set(excluded.values()) <= {"unreadable", "not_a_file"}
    assert len(rows) == len(GOOD)


BAD_OF_CPYTHON = {
    "bad_coding.py": "undecodable",
    "bad_coding2.py": "undecodable",
    "badsyntax_pep3120.py": "undecodable",
    "badsyntax_3131.py": "syntax_error",
    "badsyntax_future3.py": "syntax_error",
    "badsyntax_future10.py": "syntax_error",
    "tokenize_tests-latin1-coding-cookie-and-utf8-bom-sig.txt": "undecodable",
}


def test_bad_files_of_the_tests_of_cpython() -> None:
    found = {
        path.name: path
        for path in (Path(sysconfig.get_path("stdlib")) / "test").rglob("*")
        if path.name in BAD_OF_CPYTHON or path.name.startswith("badsyntax")
    }
    if not found:
        pytest.skip("this Python comes without its tests")
    for name, path in found.items():
        raw = files.load(path.parent, name, project="cpython")
        (cleaned,) = clean(raw, CleaningRules())
        assert isinstance(cleaned, Excluded), name
        assert cleaned.reason == BAD_OF_CPYTHON.get(name, cleaned.reason)


@pytest.mark.slow
def test_every_file_that_comes_with_python_is_kept_or_excluded() -> None:
    """Its own test suite has files of bad syntax, bad encodings, and odd layout."""
    root = Path(sysconfig.get_path("stdlib"))
    reasons: Counter[str] = Counter()
    for path in files.walk(root, lambda path: path.endswith("site-packages/")):
        for cleaned in clean(files.load(root, path, project="python"), CleaningRules()):
            reasons[cleaned.reason if isinstance(cleaned, Excluded) else "kept"] += 1
    assert reasons["kept"] > 500
