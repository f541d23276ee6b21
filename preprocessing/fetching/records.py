"""Records of published data sets (rows of JSONL or Parquet) as raw files: which field means what."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from preprocessing.fetching.raw import Excluded, RawFile, SourceConfig
from preprocessing.frozen import Frozen


class Fields(Frozen):
    """The names of a record's fields. `text` must be there in each record; the others may be missing.

    Where a record has no project, its file is one; where it has no path, its number in the file is.
    """

    text: str
    project: str | None = None
    path: str | None = None
    license: str | None = None
    date: str | None = None
    split: str | None = None


PRESETS = {
    "plain": Fields(
        text="text", project="project", path="path", license="license", date="date", split="split"
    ),
    # huggingface.co/datasets/code-search-net/code_search_net, and the original files of Husain et al. 2019
    "codesearchnet": Fields(text="original_string", project="repo", path="path", split="partition"),
    "codesearchnet_hub": Fields(
        text="whole_func_string",
        project="repository_name",
        path="func_path_in_repository",
        split="split_name",
    ),
    # huggingface.co/datasets/bigcode/the-stack and the-stack-dedup
    "the_stack": Fields(
        text="content",
        project="max_stars_repo_name",
        path="max_stars_repo_path",
        license="max_stars_repo_licenses",
        date="max_stars_repo_stars_event_min_datetime",
    ),
    # huggingface.co/datasets/bigcode/the-stack-smol
    "the_stack_smol": Fields(text="content", project="repository_name", path="path", license="licenses"),
}
_SPLITS = {"validation": "valid", "val": "valid", "dev": "valid", "eval": "valid"}


class RecordsConfig(SourceConfig):
    """A preset, or `fields` of one's own, which go before."""

    preset: Literal["plain", "codesearchnet", "codesearchnet_hub", "the_stack", "the_stack_smol"] = "plain"
    fields: Fields | None = None
    license: str = ""

    def mapping(self) -> Fields:
        """The fields to look at."""
        return self.fields or PRESETS[self.preset]


def raw_file(record: object, config: RecordsConfig, where: str, number: int) -> RawFile | Excluded:
    """One record; `where` names its file, and stands in for a project that is not given."""
    fields = config.mapping()
    if not isinstance(record, Mapping):
        return Excluded(project=where, path=str(number), reason="bad_record", detail="no object")
    project, path = _text(record, fields.project) or where, _text(record, fields.path) or str(number)
    text = record.get(fields.text)
    if not isinstance(text, str):
        detail = f"field {fields.text!r} is {'missing' if text is None else 'no text'}"
        return Excluded(project=project, path=path, reason="bad_record", detail=detail)
    split = _text(record, fields.split)
    return RawFile(
        project=project,
        path=path,
        data=text,
        license=_text(record, fields.license) or config.license,
        date=_text(record, fields.date),
        split=_SPLITS.get(split, split),
    )


def with_split(raw: RawFile, split: str) -> RawFile:
    """The same file, in a split of a published data set by its usual name."""
    return replace(raw, split=_SPLITS.get(split, split))


def _text(record: Mapping[str, Any], field: str | None) -> str:
    """A field as text; of several licences all must be met."""
    value = record.get(field) if field is not None else None
    if isinstance(value, list | tuple):
        return " AND ".join(str(item) for item in value)
    return "" if value is None else str(value)
