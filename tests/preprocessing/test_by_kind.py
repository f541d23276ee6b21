"""A kind is a module of a package: found by its name, and its config by the `kind` that is written."""

from types import ModuleType
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from models.lookup import MODELS
from preprocessing.by_kind import Kinds
from preprocessing.errors import BadInput
from preprocessing.sources import SOURCES, AnySource, git, stdlib
from preprocessing.tokenizers import TOKENIZERS
from tasks import TASKS


@pytest.mark.parametrize("kinds", [SOURCES, TOKENIZERS, MODELS, TASKS], ids=lambda kinds: kinds.package)
def test_every_module_is_a_kind_and_says_so(kinds: Kinds[ModuleType]) -> None:
    assert kinds.names()
    for name in kinds.names():
        config = kinds.lookup(name).Config
        assert config.model_fields["kind"].default == name


def test_where_kinds_are_folders_what_they_share_stands_beside_them() -> None:
    assert "completion" in TASKS.names()
    assert not {"fitting", "units"} & set(TASKS.names())
    assert {"fitting", "units"} <= set(Kinds[ModuleType]("tasks", "").names())


def test_a_wrong_name_is_answered_with_the_right_one_or_all() -> None:
    assert SOURCES.lookup("git").Config is git.Config
    with pytest.raises(BadInput, match=r"corpus.source.kind: no source 'gti'; did you mean 'git'\?"):
        SOURCES.lookup("gti")
    with pytest.raises(BadInput, match=r"no source 'svn'; valid: archive, .*, union"):
        SOURCES.lookup("svn")


def test_a_field_is_the_config_of_its_kind() -> None:
    source: TypeAdapter[Any] = TypeAdapter(AnySource)
    assert type(source.validate_python({"kind": "stdlib"})) is stdlib.Config
    with pytest.raises(ValidationError, match="does not match any of the expected tags"):
        source.validate_python({"kind": "svn"})


def test_some_kinds_can_be_left_out() -> None:
    class Holder(BaseModel):
        inner: Annotated[Any, SOURCES.but("union")]

    with pytest.raises(ValidationError, match="'union' found using 'kind' does not match"):
        Holder.model_validate({"inner": {"kind": "union", "sources": [{"kind": "stdlib"}]}})
    assert "union" not in SOURCES.but("union").names()
    assert "union" in SOURCES.names()
