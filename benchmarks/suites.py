"""The real test suites with which rewritten code is tried, and the tests that must see a difference."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Package:
    """A pure-Python sdist that carries its tests. The list was fixed before any of them was run."""

    name: str
    version: str
    sources: str
    path: str = "."
    tests: str = "tests"
    needs: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"


PACKAGES = (
    Package(
        name="blinker",
        version="1.9.0",
        sources="src/blinker",
        path="src",
        needs=("pytest-asyncio",),
        arguments=("-o", "asyncio_default_fixture_loop_scope=function"),
    ),
    Package(name="boltons", version="26.2.0", sources="boltons"),
    Package(name="cachetools", version="8.0.1", sources="src/cachetools", path="src"),
    Package(name="click", version="8.5.1", sources="src/click", path="src"),
    Package(
        name="itsdangerous", version="2.2.0", sources="src/itsdangerous", path="src", needs=("freezegun",)
    ),
    Package(
        name="jinja2",
        version="3.1.6",
        sources="src/jinja2",
        path="src",
        needs=("trio",),
        arguments=("--ignore=tests/test_async.py", "--ignore=tests/test_async_filters.py"),
    ),
    Package(
        name="marshmallow",
        version="4.4.0",
        sources="src/marshmallow",
        path="src",
        needs=("simplejson", "autodocsumm"),
    ),
    Package(name="mistune", version="3.4.0", sources="src/mistune", path="src"),
    Package(name="more-itertools", version="11.2.1", sources="more_itertools"),
    Package(
        name="packaging",
        version="26.3",
        sources="src/packaging",
        path="src",
        needs=("pretend", "hypothesis", "tomli_w"),
        arguments=("--ignore=tests/property",),  # minutes of drawing examples
    ),
    Package(name="parso", version="0.8.7", sources="parso", tests="test"),
    Package(name="pluggy", version="1.7.0", sources="src/pluggy", path="src", tests="testing"),
    Package(name="sqlparse", version="0.6.1", sources="sqlparse"),
    Package(name="tabulate", version="0.10.0", sources="tabulate", tests="test"),
    Package(
        name="tinydb",
        version="4.9.0",
        sources="tinydb",
        needs=("pyyaml", "pytest-mypy-plugins", "pytest-cov"),
    ),
    Package(name="toolz", version="1.2.0", sources="toolz tlz", tests="toolz tlz"),
    # packages that look at themselves: signatures, names, annotations, code, frames, their own sources
    Package(name="asttokens", version="3.0.2", sources="asttokens", needs=("astroid",)),
    Package(name="astroid", version="4.3.4", sources="astroid"),
    Package(
        name="attrs",
        version="26.1.0",
        sources="src/attr src/attrs",
        path="src",
        needs=("hypothesis", "cloudpickle"),
    ),
    Package(
        name="beautifulsoup4",
        version="4.15.0",
        sources="bs4",
        tests="bs4/tests",
        needs=("html5lib", "lxml"),
    ),
    Package(name="bottle", version="0.13.4", sources="bottle.py", tests="test"),
    Package(
        name="cattrs",
        version="26.2.1",
        sources="src/cattr src/cattrs",
        path="src",
        needs=("hypothesis", "immutables", "pytest-benchmark", "pyyaml", "tomlkit", "ujson", "msgspec"),
        arguments=("--benchmark-disable",),
    ),
    Package(name="decorator", version="5.3.1", sources="src", path="src", tests="tests/test.py"),
    Package(name="docutils", version="0.23", sources="docutils", tests="test"),
    Package(name="exceptiongroup", version="1.3.1", sources="src/exceptiongroup", path="src"),
    Package(
        name="flask", version="3.1.3", sources="src/flask", path="src", needs=("asgiref", "python-dotenv")
    ),
    Package(name="funcy", version="2.1", sources="funcy", needs=("whatever",)),
    Package(name="glom", version="25.12.0", sources="glom", tests="glom/test", needs=("pyyaml",)),
    Package(name="humanize", version="4.17.0", sources="src/humanize", path="src", needs=("freezegun",)),
    Package(
        name="injector",
        version="0.24.0",
        sources="injector",
        tests="injector_test.py",
        needs=("pytest-cov",),
        arguments=("--no-cov",),
    ),
    Package(name="jsonpickle", version="4.1.4", sources="jsonpickle"),
    Package(name="jsonschema", version="4.26.0", sources="jsonschema", tests="jsonschema/tests"),
    Package(name="lark", version="1.3.1", sources="lark", needs=("regex",)),
    Package(name="mako", version="1.4.3", sources="mako", tests="test", needs=("babel",)),
    Package(name="markdown", version="3.11.3", sources="markdown", needs=("pyyaml",)),
    Package(name="multimethod", version="2.1", sources="multimethod"),
    Package(
        name="parsimonious",
        version="0.11.0",
        sources="parsimonious",
        tests="parsimonious/tests",
    ),
    Package(name="pyflakes", version="4.1.0", sources="pyflakes", tests="pyflakes/test"),
    Package(name="pygments", version="2.21.0", sources="pygments"),
    Package(
        name="pyparsing",
        version="3.3.3",
        sources="pyparsing",
        tests="tests/test_simple_unit.py tests/test_unit.py",
        needs=("railroad-diagrams", "jinja2"),
    ),
    Package(
        name="python-dateutil",
        version="4.0.0",
        sources="src/dateutil",
        path="src",
        needs=("hypothesis", "freezegun", "tzdata"),
    ),
    Package(
        name="simpy",
        version="4.1.2",
        sources="src/simpy",
        path="src",
        arguments=("--ignore=tests/test_rt.py",),  # compares with the clock
    ),
    Package(name="tomlkit", version="0.15.2", sources="tomlkit", needs=("pyyaml",)),
    Package(
        name="traitlets",
        version="5.16.1",
        sources="traitlets",
        needs=("argcomplete", "pytest-mock"),
        arguments=("--ignore=tests/test_typing.py",),  # runs mypy
    ),
    Package(name="typeguard", version="4.6.0", sources="src/typeguard", path="src"),
    Package(name="voluptuous", version="0.16.0", sources="voluptuous", tests="voluptuous/tests"),
    Package(
        name="werkzeug",
        version="3.1.9",
        sources="src/werkzeug",
        path="src",
        needs=("ephemeral-port-reserve", "pytest-timeout", "cffi", "cryptography", "watchdog"),
        arguments=("--ignore=tests/test_serving.py",),  # starts servers in processes of their own
    ),
    Package(name="wrapt", version="2.5.2", sources="src/wrapt", path="src"),
    Package(
        name="zope.interface",
        version="8.7",
        sources="src/zope/interface",
        path="src",
        tests="src/zope/interface",
        needs=("zope.event", "zope.testing"),
    ),
)

STDLIB_SUITES = {
    "test_argparse": ["argparse.py"],
    "test_bisect": ["bisect.py"],
    "test_calendar": ["calendar.py"],
    "test_cmd": ["cmd.py"],
    "test_colorsys": ["colorsys.py"],
    "test_configparser": ["configparser.py"],
    "test_contextlib": ["contextlib.py"],
    "test_copy": ["copy.py"],
    "test_csv": ["csv.py"],
    "test_dataclasses": ["dataclasses.py"],
    "test_difflib": ["difflib.py"],
    "test_enum": ["enum.py"],
    "test_fnmatch": ["fnmatch.py"],
    "test_fractions": ["fractions.py"],
    "test_functools": ["functools.py"],
    "test_glob": ["glob.py"],
    "test_heapq": ["heapq.py"],
    "test_html": ["html"],
    "test_htmlparser": ["html", "_markupbase.py"],
    "test_http_cookies": ["http"],
    "test_ipaddress": ["ipaddress.py"],
    "test_json": ["json"],
    "test_mimetypes": ["mimetypes.py"],
    "test_optparse": ["optparse.py"],
    "test_pathlib": ["pathlib.py"],
    "test_pprint": ["pprint.py"],
    "test_queue": ["queue.py"],
    "test_random": ["random.py"],
    "test_reprlib": ["reprlib.py"],
    "test_sched": ["sched.py"],
    "test_shlex": ["shlex.py"],
    "test_shutil": ["shutil.py"],
    "test_statistics": ["statistics.py"],
    "test_string": ["string.py"],
    "test_tempfile": ["tempfile.py"],
    "test_textwrap": ["textwrap.py"],
    "test_tomllib": ["tomllib"],
    "test_typing": ["typing.py"],
    "test_urlparse": ["urllib"],
    "test_uuid": ["uuid.py"],
    "test_weakref": ["weakref.py", "_weakrefset.py"],
    "test_zipfile": ["zipfile.py"],
}

# Tests that look at source text, line numbers or names on purpose: suite → test → reason.
EXPECTED: dict[str, dict[str, str]] = {
    "simpy": {
        "tests.test_exceptions::test_exception_chaining": (
            "compares the text of simpy's own source lines, as a traceback shows them"
        ),
    },
    "test_contextlib": {
        "test.test_contextlib.TestExitStack.test_exit_exception_traceback": (
            "compares the text of contextlib's own source lines, as a traceback shows them"
        ),
    },
    "test_string": {
        "test.test_string.ModuleTest.test_format_keyword_arguments": (
            "looks for the name of a positional-only parameter in the message of a TypeError"
        ),
    },
}
