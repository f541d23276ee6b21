from pathlib import Path

import pytest

from preprocessing import shipped

QUICKSTART = Path("configs/grid/quickstart.yaml")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_comes_with_us_is_found_from_anywhere() -> None:
    assert "name: quickstart" in shipped.located(QUICKSTART).read_text()
    assert {"docker", "local"} <= set(shipped.names(Path("configs/hosts")))


def test_the_user_s_own_file_comes_first() -> None:
    QUICKSTART.parent.mkdir(parents=True)
    QUICKSTART.write_text("name: mine\n")
    QUICKSTART.with_name("mine.yaml").touch()
    assert shipped.located(str(QUICKSTART)) == QUICKSTART
    names = shipped.names(QUICKSTART.parent)
    assert {"lampion", "mine"} < set(names)
    assert names.count("quickstart") == 1


@pytest.mark.parametrize("path", ["configs/grid/none.yaml", "configs/grid", "README.md"])
def test_all_else_is_taken_as_it_stands(path: str) -> None:
    assert shipped.located(path) == Path(path)
