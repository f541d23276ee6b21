from preprocessing.fetching.raw import RawFile
from preprocessing.sources import stdlib


def test_modules_of_the_standard_library() -> None:
    config = stdlib.Config()
    files = {raw.path: raw for raw in stdlib.read(config) if isinstance(raw, RawFile)}
    assert files["json/decoder.py"].project == "json"
    assert files["argparse.py"].project == "argparse"
    assert {raw.license for raw in files.values()} == {"PSF-2.0"}
    assert len(files) > 500
    parts = {part for path in files for part in path.split("/")}
    assert not parts & {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}
    assert not any("sysconfigdata" in path for path in files)


def test_order_and_digest_are_stable() -> None:
    config = stdlib.Config()
    assert [raw.path for raw in stdlib.read(config)] == [raw.path for raw in stdlib.read(config)]
    assert stdlib.raw_digest(config) == stdlib.raw_digest(config)
