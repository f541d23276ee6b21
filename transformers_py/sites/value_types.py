"""The types that values are sure to have, as an annotation would name them.

len(rows) -> int     ", ".join(names) -> str     [row for row in rows] -> list     not found -> bool
"""

import libcst as cst

from transformers_py.sites.callers import called
from transformers_py.sites.expressions import literal_type
from transformers_py.source import Source

_RESULTS: dict[str, str] = {
    **dict.fromkeys(("len", "ord", "id", "hash", "int"), "int"),
    **dict.fromkeys(("str", "repr", "ascii", "chr", "hex", "oct", "bin", "format", "input"), "str"),
    **dict.fromkeys(("isinstance", "issubclass", "callable", "hasattr", "any", "all", "bool"), "bool"),
    **dict.fromkeys(("list", "sorted"), "list"),
    **{
        name: name for name in ("float", "complex", "dict", "set", "frozenset", "tuple", "bytes", "bytearray")
    },
    **{
        name: name for name in ("range", "enumerate", "zip", "map", "filter", "object", "memoryview", "slice")
    },
    **dict.fromkeys(("time.time", "time.perf_counter", "time.monotonic", "time.process_time"), "float"),
    **dict.fromkeys(("os.getcwd", "json.dumps", "textwrap.dedent", "inspect.getsource"), "str"),
    **dict.fromkeys(("os.getpid", "bisect.bisect", "bisect.bisect_left", "bisect.bisect_right"), "int"),
    **dict.fromkeys(("os.path.exists", "os.path.isfile", "os.path.isdir", "os.path.isabs"), "bool"),
}
"""Builtins and functions of the standard library -> the builtin type of what they give."""
_CLASSES = frozenset(
    """
    collections.defaultdict collections.OrderedDict collections.Counter collections.deque
    collections.ChainMap pathlib.Path io.StringIO io.BytesIO argparse.ArgumentParser decimal.Decimal
    fractions.Fraction random.Random threading.Thread threading.Event queue.Queue
    configparser.ConfigParser datetime.datetime datetime.date datetime.timedelta
    """.split()  # noqa: SIM905
)
"""Classes of the standard library, whose own names make the annotation."""
_OF_STR: dict[str, str] = {
    **dict.fromkeys(("split", "rsplit", "splitlines"), "list"),
    **dict.fromkeys(("partition", "rpartition"), "tuple"),
    **dict.fromkeys(("find", "rfind", "index", "rindex", "count"), "int"),
    **dict.fromkeys(("startswith", "endswith", "isdigit", "isalpha", "isalnum", "isspace"), "bool"),
    **dict.fromkeys(
        """
        join format format_map lower upper title capitalize casefold swapcase strip lstrip rstrip replace
        center ljust rjust zfill expandtabs translate removeprefix removesuffix
        """.split(),  # noqa: SIM905
        "",
    ),
}
"""Methods of str and bytes -> the type of what they give; "" for that of the object itself."""
_NUMBERS = ("int", "float", "complex")
_ARITHMETIC = (cst.Add, cst.Subtract, cst.Multiply)
_INTEGERS = (
    cst.FloorDivide, cst.Modulo, cst.BitAnd, cst.BitOr, cst.BitXor, cst.LeftShift, cst.RightShift,
)  # fmt: skip


def type_of(source: Source, node: cst.BaseExpression) -> str:
    """The name of an expression's type, "" where it isn't certain."""
    known = literal_type(node)
    if known:
        return known
    if isinstance(node, cst.Name):
        return "bool" if node.value in ("True", "False") else ""
    if isinstance(node, cst.Comparison):
        only = node.comparisons[0].operator
        tested = len(node.comparisons) == 1 and isinstance(only, (cst.In, cst.NotIn, cst.Is, cst.IsNot))
        return "bool" if tested else ""
    if isinstance(node, cst.UnaryOperation):
        if isinstance(node.operator, cst.Not):
            return "bool"
        inner = type_of(source, node.expression)
        return inner if inner == "int" or (inner in _NUMBERS and not _inverts(node)) else ""
    if isinstance(node, cst.IfExp):
        return _common(source, node.body, node.orelse)
    if isinstance(node, cst.BooleanOperation):
        return _common(source, node.left, node.right)
    if isinstance(node, cst.BinaryOperation):
        return _of_operation(node, type_of(source, node.left), type_of(source, node.right))
    return _of_call(source, node) if isinstance(node, cst.Call) else ""


def _inverts(node: cst.UnaryOperation) -> bool:
    return isinstance(node.operator, cst.BitInvert)


def _common(source: Source, first: cst.BaseExpression, second: cst.BaseExpression) -> str:
    found = type_of(source, first)
    return found if found == type_of(source, second) else ""


def _of_operation(node: cst.BinaryOperation, left: str, right: str) -> str:
    operator = node.operator
    if left in ("str", "bytes") and isinstance(operator, cst.Modulo):
        return left
    if not left or not right:
        return ""
    if left in _NUMBERS and right in _NUMBERS:
        if isinstance(operator, _ARITHMETIC):
            return max(left, right, key=_NUMBERS.index)
        if isinstance(operator, cst.Divide):
            return max("float", left, right, key=_NUMBERS.index)
        return "int" if left == right == "int" and isinstance(operator, _INTEGERS) else ""
    sequences = ("str", "bytes", "list", "tuple")
    if isinstance(operator, cst.Add) and left == right and left in sequences:
        return left
    if isinstance(operator, cst.Multiply) and "int" in (left, right):
        other = right if left == "int" else left
        return other if other in sequences else ""
    return ""


def _of_call(source: Source, node: cst.Call) -> str:
    function = node.func
    if isinstance(function, cst.Attribute):
        owner = type_of(source, function.value)
        if owner in ("str", "bytes") and function.attr.value in _OF_STR:
            return _OF_STR[function.attr.value] or owner
        if owner == "str" and function.attr.value == "encode":
            return "bytes"
        if owner == "bytes" and function.attr.value == "decode":
            return "str"
    name = called(source, node)
    if name == "os.path.join" and any(type_of(source, arg.value) == "str" for arg in node.args):
        return "str"
    if name == "re.compile" and isinstance(function, cst.Attribute):
        return f"{source.text_of(function.value)}.Pattern"
    if name in _CLASSES or (isinstance(function, cst.Name) and _is_plain_class(source, function)):
        return source.text_of(function)
    return _RESULTS.get(name, "")


def _is_plain_class(source: Source, name: cst.Name) -> bool:
    """Whether a name is that of a class of this module whose calls give its own objects."""
    binding = source.scoping.of[source.index[id(name)]].resolved.get(name.value)
    if binding is None or binding.scope.kind != "module" or binding.kinds != {"class"}:
        return False
    parents = [source.nodes[source.parents[i]] for i in binding.names]
    found = [node for node in parents if isinstance(node, cst.ClassDef) and node.name.value == binding.name]
    if len(found) != 1 or found[0].bases or found[0].keywords or found[0].decorators:
        return False
    return "__new__" not in source.scoping.inner[source.index[id(found[0])]].bindings
