"""Scopes and bindings of a source, with the hazards that forbid a rewrite.

def f(a):            scopes: module, f, its comprehension
    return [b for b in a]     bindings: f (module) · a, referenced in f · b, in the comprehension
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, cast

import libcst as cst

from transformers_py.source.cpython import words
from transformers_py.source.nodes import NodeTable

Kind = Literal["module", "function", "lambda", "comprehension", "class"]

DYNAMIC = frozenset(["locals", "vars", "dir", "eval", "exec"])
_BUILTINS = frozenset(["builtins", "__builtins__", "__self__", "__globals__"])
"""Words by which a program gets at the module of builtins."""
FRAME_WORDS = frozenset(
    """
    f_locals co_varnames co_freevars co_cellvars getclosurevars getargvalues getcallargs
    __closure__ cell_contents CellType
    __code__ func_code co_code co_consts co_names co_nlocals co_stacksize dis Bytecode get_instructions
    """.split()  # noqa: SIM905
)
"""Words by which a program looks at the names of local variables, or at compiled code."""
STACK_WORDS = frozenset(
    """
    _getframe _getframemodulename currentframe f_back tb_frame gi_frame cr_frame ag_frame getinnerframes
    getouterframes _current_frames settrace setprofile getframeinfo extract_stack extract_tb walk_stack
    walk_tb format_exc print_exc print_exception print_stack format_stack format_exception print_tb format_tb
    TracebackException StackSummary
    """.split()  # noqa: SIM905
)
"""Words by which a program looks at the functions that are running, or were when something failed."""
LINE_WORDS = (
    FRAME_WORDS
    | STACK_WORDS
    | frozenset(
        """
        lineno f_lineno tb_lineno co_firstlineno co_lines co_positions linecache pydoc
        formatwarning showwarning
        getsource getsourcelines getcomments findsource getblock getrecursionlimit setrecursionlimit
        """.split()  # noqa: SIM905
    )
)
"""Words by which a program looks at its lines, its text or the depth of its stack."""
NAMESPACE_WORDS = DYNAMIC | frozenset(
    ["globals", "__dict__", "__getattr__", "__dir__", "getmembers", "modules"]
)
"""Words by which a module can look at all of its own names."""
REASONS = {
    "annotation_text": "an annotation that is kept as text names it",
    "debug_f_string": "an f-string with = prints its name",
    "dynamic_alias": "the module may call locals(), eval() and the like under another name",
    "dynamic_names": "locals(), vars(), dir(), eval() or exec() can see it",
    "frames": "the module looks at frames, closures or compiled code",
    "namespace": "the module may look at its own names",
    "star_import": "import * may bind any name",
    "type_parameters": "the module has type parameters or type aliases",
}


@dataclass(slots=True, eq=False)
class Binding:
    """A name bound in a scope, with every place where the program spells it.

    `names` are indices of Name nodes in the source's table. `kinds` says how it is bound: parameter,
    variable, except, with, for, comprehension, walrus, match, import, import_as, function, class, delete,
    global, type_parameter. `hazards` are reasons that forbid to rename it.
    """

    name: str
    scope: "NameScope"
    kinds: set[str] = field(default_factory=set)
    names: list[int] = field(default_factory=list)
    users: "list[NameScope]" = field(default_factory=list)
    hazards: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class NameScope:
    """A scope: its node's index in the table, the names spelt in it, and its bindings.

    `hazards` are reasons that forbid to change which names exist in the scope.
    """

    index: int
    kind: Kind
    node: int
    parent: "NameScope | None"
    children: "list[NameScope]" = field(default_factory=list)
    uses: dict[str, list[int]] = field(default_factory=dict)
    stores: dict[str, set[str]] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    resolved: dict[str, Binding] = field(default_factory=dict)
    hazards: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)

    def subtree(self) -> "Iterator[NameScope]":
        """This scope and all below."""
        yield self
        for child in self.children:
            yield from child.subtree()

    def enclosing(self) -> "Iterator[NameScope]":
        """The scopes around this one, the innermost first."""
        scope = self.parent
        while scope is not None:
            yield scope
            scope = scope.parent

    @property
    def is_function(self) -> bool:
        """Whether names bound here are local variables (functions, lambdas, comprehensions)."""
        return self.kind in ("function", "lambda", "comprehension")


@dataclass(eq=False)
class Scopes:
    """What the walk over the table found."""

    scopes: list[NameScope]
    of: list[NameScope]
    """The scope in which node i is evaluated."""
    inner: dict[int, NameScope]
    """Index of a function, lambda, class or comprehension node -> the scope that it opens."""
    hazards: set[str]
    """Reasons that forbid every renaming in the module."""
    roles: dict[int, str]
    """id of an assignment target or a bound name -> how it binds; "none" for names that are no variables."""
    attributes: set[str]
    """All names behind a dot, and all keywords of calls and class patterns."""
    namespace_problem: str | None
    """Why the module may notice a new private name of its own, as a reason to count; None if it can't."""

    @cached_property
    def local_names(self) -> frozenset[str]:
        """Every name that is a local variable somewhere."""
        return frozenset(name for scope in self.scopes if scope.is_function for name in scope.bindings)

    @cached_property
    def comprehension_names(self) -> frozenset[str]:
        """Every name that is the variable of a comprehension somewhere."""
        return frozenset(
            name for scope in self.scopes if scope.kind == "comprehension" for name in scope.bindings
        )


def find_scopes(source: NodeTable) -> Scopes:
    """Build scopes, bindings and hazards from the source's table of nodes, in one pass over it."""
    return _Finder(source).run()


class _Finder:
    def __init__(self, source: NodeTable) -> None:
        self.source = source
        self.nodes = source.nodes
        self.parents = source.parents
        self.module = NameScope(0, "module", 0, None)
        self.scopes = [self.module]
        self.of: list[NameScope] = []
        self.below: list[NameScope] = []
        self.inner: dict[int, NameScope] = {0: self.module}
        self.elsewhere: dict[int, NameScope] = {}
        self.roles: dict[int, str] = {}
        self.hazards: set[str] = set()
        self.attributes: set[str] = set()
        self.flagged: list[tuple[int, str]] = []
        self.annotations: list[int] = []
        self.dynamic: list[int] = []
        self.postponed = False

    def run(self) -> Scopes:
        of, below, elsewhere, parents = self.of, self.below, self.elsewhere, self.parents
        visit = _VISITORS
        of.append(self.module)
        below.append(self.module)
        for i in range(1, len(self.nodes)):
            node = self.nodes[i]
            scope = elsewhere.get(id(node)) or below[parents[i]]
            of.append(scope)
            below.append(scope)
            handle = visit.get(node.__class__)
            if handle is not None:
                handle(self, i, node, scope)
        self._resolve()
        self._spread_hazards()
        namespace = min(self.hazards & {"star_import", "dynamic_alias"}, default=None)
        if not NAMESPACE_WORDS.isdisjoint(self.source.words):
            namespace = "namespace"
        return Scopes(self.scopes, of, self.inner, self.hazards, self.roles, self.attributes, namespace)

    def open(self, i: int, kind: Kind, parent: NameScope) -> NameScope:
        scope = NameScope(len(self.scopes), kind, i, parent)
        parent.children.append(scope)
        self.scopes.append(scope)
        self.inner[i] = scope
        return scope

    def target(self, node: cst.CSTNode, role: str) -> None:
        """Note that an assignment target, and the targets inside of it, are bound, not read."""
        self.roles[id(node)] = role
        if isinstance(node, (cst.Tuple, cst.List)):
            for element in node.elements:
                self.target(element.value, role)
        elif isinstance(node, cst.StarredElement):
            self.target(node.value, role)

    # -- one method per class of node

    def name(self, i: int, node: cst.Name, scope: NameScope) -> None:
        name = node.value
        role = self.roles.get(id(node))
        if role == "none":
            scope.words.add(name)
            return
        uses = scope.uses.get(name)
        if uses is None:
            scope.uses[name] = [i]
        else:
            uses.append(i)
        if role is not None:
            if role == "walrus":
                while scope.kind == "comprehension":
                    scope.declared.setdefault(name, "walrus")
                    scope = cast(NameScope, scope.parent)
            kinds = scope.stores.get(name)
            if kinds is None:
                scope.stores[name] = {role}
            else:
                kinds.add(role)
        elif name in DYNAMIC:
            self.dynamic.append(i)

    def _dynamic(self, i: int) -> None:
        """`locals()` forbids changes around it; `locals` without a call might be called anywhere."""
        node, scope = cast(cst.Name, self.nodes[i]), self.of[i]
        if node.value in scope.resolved:
            return
        call = self.nodes[self.parents[i]]
        if not (isinstance(call, cst.Call) and call.func is node):
            self.hazards.add("dynamic_alias")
            return
        plain = not any(arg.star for arg in call.args)
        if node.value in ("vars", "dir") and call.args and plain:
            return
        scope.hazards.add("dynamic_names")

    def _dynamic_by_lookup(self) -> None:
        """`module.locals()`, `names["locals"]()` may be the builtin; without the call, if it is in reach."""
        for i, node in enumerate(self.nodes):
            if node.__class__ is cst.Attribute and id(node) not in self.roles:
                name, found = node.attr.value, i
            elif node.__class__ is cst.SimpleString:
                name, found = node.raw_value, self._looked_up(i)
            else:
                continue
            if name not in DYNAMIC:
                continue
            call = self.nodes[self.parents[found]]
            if isinstance(call, cst.Call) and call.func is self.nodes[found]:
                if bool(call.args) == (name in ("eval", "exec")) or any(arg.star for arg in call.args):
                    self.of[i].hazards.add("dynamic_names")
            elif not _BUILTINS.isdisjoint(self.source.words):
                self.hazards.add("dynamic_alias")

    def _looked_up(self, i: int) -> int:
        """What a string looks up: the place of `a["x"]` or `getattr(a, "x")` around it, else its own."""
        around = i
        while isinstance(self.nodes[self.parents[around]], (cst.Index, cst.SubscriptElement, cst.Arg)):
            around = self.parents[around]
        parent = self.parents[around]
        return parent if isinstance(self.nodes[parent], (cst.Subscript, cst.Call)) and around != i else i

    def function(self, i: int, node: cst.FunctionDef, scope: NameScope) -> None:
        self.roles[id(node.name)] = "function"
        inner = self.open(i, "function", scope)
        self.elsewhere[id(node.body)] = inner
        self._parameters(node.params, inner)
        if node.type_parameters is not None:
            self._type_parameters(node.type_parameters, inner)

    def _type_parameters(self, node: cst.TypeParameters, scope: NameScope) -> None:
        self.hazards.add("type_parameters")

    def _parameters(self, node: cst.Parameters, inner: NameScope) -> None:
        rest = [p for p in (node.star_arg, node.star_kwarg) if isinstance(p, cst.Param)]
        for param in (*node.posonly_params, *node.params, *node.kwonly_params, *rest):
            self.roles[id(param.name)] = "parameter"
            self.elsewhere[id(param.name)] = inner

    def lambda_(self, i: int, node: cst.Lambda, scope: NameScope) -> None:
        inner = self.open(i, "lambda", scope)
        self.elsewhere[id(node.body)] = inner
        self._parameters(node.params, inner)

    def class_(self, i: int, node: cst.ClassDef, scope: NameScope) -> None:
        self.roles[id(node.name)] = "class"
        inner = self.open(i, "class", scope)
        self.elsewhere[id(node.body)] = inner
        if node.type_parameters is not None:
            self._type_parameters(node.type_parameters, inner)

    def comprehension(self, i: int, node: cst.BaseComp, scope: NameScope) -> None:
        inner = self.open(i, "comprehension", scope)
        self.below[i] = inner
        self.elsewhere[id(node.for_in.iter)] = scope

    def comp_for(self, i: int, node: cst.CompFor, scope: NameScope) -> None:
        self.target(node.target, "comprehension")

    def attribute(self, i: int, node: cst.Attribute, scope: NameScope) -> None:
        self.roles[id(node.attr)] = "none"
        self.attributes.add(node.attr.value)

    def arg(self, i: int, node: cst.Arg, scope: NameScope) -> None:
        if node.keyword is not None:
            self.roles[id(node.keyword)] = "none"
            self.attributes.add(node.keyword.value)

    def import_(self, i: int, node: cst.Import | cst.ImportFrom, scope: NameScope) -> None:
        if isinstance(node.names, cst.ImportStar):
            self.hazards.add("star_import")
            return
        if isinstance(node, cst.ImportFrom) and node.module is not None:
            self._silence(node.module)
            if isinstance(node.module, cst.Name) and node.module.value == "__future__":
                self.postponed |= any(
                    isinstance(alias.name, cst.Name) and alias.name.value == "annotations"
                    for alias in node.names
                )
        for alias in node.names:
            if alias.asname is not None:
                self._silence(alias.name)
                self.target(alias.asname.name, "import_as")
                if isinstance(alias.name, cst.Name) and alias.name.value in ("builtins", *DYNAMIC):
                    self.hazards.add("dynamic_alias")
                continue
            first: cst.BaseExpression = alias.name
            while isinstance(first, cst.Attribute):
                first = first.value
            self.target(first, "import")
            if isinstance(node, cst.ImportFrom) and isinstance(first, cst.Name) and first.value in DYNAMIC:
                self.hazards.add("dynamic_alias")

    def _silence(self, node: cst.CSTNode) -> None:
        """No part of a dotted module name is a name of the program."""
        while isinstance(node, cst.Attribute):
            node = node.value
        self.roles[id(node)] = "none"

    def except_(self, i: int, node: cst.ExceptHandler | cst.ExceptStarHandler, scope: NameScope) -> None:
        if node.name is not None:
            self.target(node.name.name, "except")

    def with_item(self, i: int, node: cst.WithItem, scope: NameScope) -> None:
        if node.asname is not None:
            self.target(node.asname.name, "with")

    def for_(self, i: int, node: cst.For, scope: NameScope) -> None:
        self.target(node.target, "for")

    def assign_target(self, i: int, node: cst.AssignTarget, scope: NameScope) -> None:
        self.target(node.target, "variable")

    def assign(self, i: int, node: cst.AnnAssign | cst.AugAssign, scope: NameScope) -> None:
        self.target(node.target, "variable")

    def walrus(self, i: int, node: cst.NamedExpr, scope: NameScope) -> None:
        self.target(node.target, "walrus")

    def del_(self, i: int, node: cst.Del, scope: NameScope) -> None:
        self.target(node.target, "delete")

    def global_(self, i: int, node: cst.Global | cst.Nonlocal, scope: NameScope) -> None:
        how = "global" if isinstance(node, cst.Global) else "nonlocal"
        for item in node.names:
            scope.declared[item.name.value] = how

    def match_name(self, i: int, node: cst.MatchAs | cst.MatchStar, scope: NameScope) -> None:
        if node.name is not None:
            self.target(node.name, "match")

    def match_mapping(self, i: int, node: cst.MatchMapping, scope: NameScope) -> None:
        if node.rest is not None:
            self.target(node.rest, "match")

    def match_keyword(self, i: int, node: cst.MatchKeywordElement, scope: NameScope) -> None:
        self.roles[id(node.key)] = "none"
        self.attributes.add(node.key.value)

    def f_expression(self, i: int, node: cst.FormattedStringExpression, scope: NameScope) -> None:
        if node.equal is not None:
            self.flagged.append((i, "debug_f_string"))

    def annotation(self, i: int, node: cst.Annotation, scope: NameScope) -> None:
        self.annotations.append(i)

    def type_alias(self, i: int, node: cst.CSTNode, scope: NameScope) -> None:
        self.hazards.add("type_parameters")

    # -- after the walk

    def _resolve(self) -> None:
        """Give each scope's names the bindings that they mean."""
        for scope in self.scopes:
            for name, kinds in scope.stores.items():
                if scope.declared.get(name) is None:
                    scope.bindings[name] = Binding(name, scope, set(kinds))
        for scope in self.scopes:
            for name, indices in scope.uses.items():
                binding = self._lookup(scope, name)
                if binding is None:
                    continue
                scope.resolved[name] = binding
                binding.names.extend(indices)
                binding.users.append(scope)
                if scope is not binding.scope and name in scope.stores:
                    binding.kinds |= scope.stores[name]
                if scope.declared.get(name) == "global":
                    binding.kinds.add("global")

    def _lookup(self, scope: NameScope, name: str) -> Binding | None:
        declared = scope.declared.get(name)
        if declared == "global":
            return self.module.bindings.get(name)
        own = scope.bindings.get(name)
        if own is not None:
            return own
        around = scope.parent
        while around is not None and around.parent is not None:
            if around.is_function:
                if around.declared.get(name) == "global":
                    return self.module.bindings.get(name)
                found = around.bindings.get(name)
                if found is not None:
                    return found
            around = around.parent
        return self.module.bindings.get(name)

    def _spread_hazards(self) -> None:
        """What one scope does (`locals()`) forbids changes in it and around it."""
        if self.source.words & FRAME_WORDS:
            self.hazards.add("frames")
        for scope in self.scopes:
            for i in (*scope.uses.get("builtins", ()), *scope.uses.get("__builtins__", ())):
                parent = self.nodes[self.parents[i]]
                plain = isinstance(parent, cst.Attribute) and parent.attr.value not in (*DYNAMIC, "__dict__")
                if not plain and not isinstance(parent, cst.ImportAlias):
                    self.hazards.add("dynamic_alias")
        for i in self.dynamic:
            self._dynamic(i)
        if not DYNAMIC.isdisjoint(self.source.words):
            self._dynamic_by_lookup()
        for scope in self.scopes:
            for reason in tuple(scope.hazards):
                for outer in scope.enclosing():
                    outer.hazards.add(reason)
        for i, reason in self.flagged:
            self._flag_names(i, reason)
        for i in self.annotations:
            self._annotation_hazards(i)

    def _flag_names(self, i: int, reason: str) -> None:
        for k in range(i + 1, self.source.lasts[i]):
            node = self.nodes[k]
            if isinstance(node, cst.Name):
                binding = self.of[k].resolved.get(node.value)
                if binding is not None:
                    binding.hazards.add(reason)

    def _annotation_hazards(self, i: int) -> None:
        """Annotations that are kept as text: strings, and all under `from __future__ import annotations`."""
        if self.postponed:
            self._flag_names(i, "annotation_text")
        for k in range(i + 1, self.source.lasts[i]):
            node = self.nodes[k]
            if isinstance(node, (cst.SimpleString, cst.FormattedString)):
                for word in words(self.source.text[self.source.starts[k] : self.source.ends[k]]):
                    scope: NameScope | None = self.of[k]
                    while scope is not None:
                        binding = scope.bindings.get(word)
                        if binding is not None:
                            binding.hazards.add("annotation_text")
                        scope = scope.parent


_VISITORS: dict[type, Callable[[_Finder, int, cst.CSTNode, NameScope], None]] = cast(
    dict[type, Callable[[_Finder, int, cst.CSTNode, NameScope], None]],
    {
        cst.Name: _Finder.name,
        cst.FunctionDef: _Finder.function,
        cst.Lambda: _Finder.lambda_,
        cst.ClassDef: _Finder.class_,
        cst.ListComp: _Finder.comprehension,
        cst.SetComp: _Finder.comprehension,
        cst.DictComp: _Finder.comprehension,
        cst.GeneratorExp: _Finder.comprehension,
        cst.CompFor: _Finder.comp_for,
        cst.Attribute: _Finder.attribute,
        cst.Arg: _Finder.arg,
        cst.Import: _Finder.import_,
        cst.ImportFrom: _Finder.import_,
        cst.ExceptHandler: _Finder.except_,
        cst.ExceptStarHandler: _Finder.except_,
        cst.WithItem: _Finder.with_item,
        cst.For: _Finder.for_,
        cst.AssignTarget: _Finder.assign_target,
        cst.AnnAssign: _Finder.assign,
        cst.AugAssign: _Finder.assign,
        cst.NamedExpr: _Finder.walrus,
        cst.Del: _Finder.del_,
        cst.Global: _Finder.global_,
        cst.Nonlocal: _Finder.global_,
        cst.MatchAs: _Finder.match_name,
        cst.MatchStar: _Finder.match_name,
        cst.MatchMapping: _Finder.match_mapping,
        cst.MatchKeywordElement: _Finder.match_keyword,
        cst.FormattedStringExpression: _Finder.f_expression,
        cst.Annotation: _Finder.annotation,
        cst.TypeAlias: _Finder.type_alias,
    },
)
