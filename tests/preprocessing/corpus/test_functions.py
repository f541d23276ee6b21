import pytest

from preprocessing.corpus.functions import FunctionsConfig, functions

MODULE = '''\
import x
def plain(a): return a
class A:
    """Of the class."""
    @cached
    @other(
        1)
    async def method(self):
        """Doc.

        More.
        """

        def inner(): pass
        text = """
  keeps
    its indentation"""
  # comment
        return inner
if x:
    def conditional():
        "only a docstring"
else:
    def conditional(é): "é"; return é
'''


def cut(text: str, **options: object) -> dict[str, tuple[str, str | None]]:
    found = functions(text, FunctionsConfig.model_validate(options))
    return {function.name: (function.text, function.docstring) for function in found}


def test_functions_are_cut_out_and_dedented() -> None:
    found = cut(MODULE)
    assert list(found) == ["plain", "A.method", "conditional"]
    assert found["plain"][0] == "def plain(a): return a\n"
    assert found["A.method"][0] == (
        '@cached\n@other(\n    1)\nasync def method(self):\n    """Doc.\n\n        More.\n        """\n\n'
        "    def inner(): pass\n"
        '    text = """\n  keeps\n    its indentation"""\n# comment\n    return inner\n'
    )


def test_without_methods() -> None:
    assert list(cut(MODULE, methods=False)) == ["plain", "conditional"]


def test_docstrings_are_split_off() -> None:
    found = cut(MODULE, docstring="split")
    assert found["plain"] == ("def plain(a): return a\n", None)
    text, docstring = found["A.method"]
    assert docstring == "Doc.\n\nMore."
    assert text.startswith("@cached\n@other(\n    1)\nasync def method(self):\n    def inner(): pass\n")
    assert found["conditional"] == ("def conditional(é): return é\n", "é")


@pytest.mark.parametrize(
    "text, expected",
    [
        ('def f():\n    "doc"\n', "def f():\n    pass\n"),
        ('def f():\n    "doc"\n    @d\n    def g(): pass\n', "def f():\n    @d\n    def g(): pass\n"),
        ("def f():\r\n\t'''d\r\n\t'''\r\n\treturn 1\r\n", "def f():\r\n\treturn 1\r\n"),
        ("def f(): 'doc'", "def f(): pass"),
    ],
)
def test_what_is_left_without_the_docstring(text: str, expected: str) -> None:
    ((left, _),) = cut(text, docstring="split").values()
    assert left == expected


def test_every_function_of_the_standard_library_stands_alone() -> None:
    import argparse
    import inspect

    source = inspect.getsource(argparse)
    for name, (text, _) in cut(source, docstring="split").items():
        compile(text, name, "exec")
