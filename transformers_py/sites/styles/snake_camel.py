"""The other convention for names of several words: total_count -> totalCount, totalCount -> total_count."""

from collections.abc import Iterator

from transformers_py.sites.name_parts import Roll, parts


def candidates(old: str, roll: Roll) -> Iterator[str]:
    """One name for each name that has several words; digits stay with the word before them."""
    body = old.strip("_")
    start = old.find(body)
    before, after = old[:start], old[start + len(body) :]
    words: list[str] = []
    for part in parts(body):
        if part.startswith("_"):
            continue
        if part.isdecimal() and words:
            words[-1] += part
        else:
            words.append(part.lower())
    if len(words) > 1:
        camel = words[0] + "".join(word.capitalize() for word in words[1:])
        yield before + (camel if "_" in body else "_".join(words)) + after
