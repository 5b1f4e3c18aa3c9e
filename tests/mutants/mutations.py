"""The faults that are planted: mutmut's, applied to whole modules, and a few of our own that it does not know.

mutmut itself mutates the inside of functions alone, but our rules are tables of modules: provinces, transitions,
limits, statements in SQL.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

from tests.mutants.mutant import Mutant, changed_lines

_SQL_SWAPS = (
    *((" <= ", " < "), (" < ", " <= "), (" > ", " >= "), (" = ", " <> "), (" <> ", " = "), (" AND ", " OR ")),
    *((" OR ", " AND "), ("NOT (", "("), (" IS NULL", " IS NOT NULL"), ("min(", "max("), (" DESC", "")),
)
_STATEMENTS = (cst.BaseStatement, cst.MatchCase)


@dataclass(frozen=True, slots=True)
class Site:
    """A node of a file, and what it may be changed into."""

    path: str
    lines: range
    module: cst.Module
    node: cst.CSTNode
    changes: Sequence[cst.CSTNode]

    def mutant(self, changed: cst.CSTNode) -> Mutant | None:
        """The file with one of the changes; None where it means the same, or nothing."""
        source = cast(cst.Module, self.module.deep_replace(self.node, changed)).code
        try:
            if ast.dump(ast.parse(source)) == ast.dump(ast.parse(self.module.code)):
                return None
        except SyntaxError:
            return None
        return Mutant(self.path, self.lines, *changed_lines(self.module.code, source), source)


def sites_of(path: Path, root: Path) -> list[Site]:
    """Every place of a file that can be changed."""
    wrapper = MetadataWrapper(cst.parse_module(path.read_text("utf-8")))
    visitor = _Sites()
    wrapper.visit(visitor)
    name = path.relative_to(root).as_posix()
    return [Site(name, lines, wrapper.module, node, changes) for node, changes, lines in visitor.found]


class _Sites(cst.CSTVisitor):
    """Finds the places where something can be changed."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.CSTNode, Sequence[cst.CSTNode], range]] = []
        self._statements: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _is_left_alone(node):
            return False
        changes = [changed for kinds, operator in OPERATORS if isinstance(node, kinds) for changed in operator(node)]
        if isinstance(node, _STATEMENTS):
            self._statements.append(node)
        if changes:
            self.found.append((node, changes, self._lines(node)))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._statements and self._statements[-1] is original_node:
            self._statements.pop()

    def _lines(self, node: cst.CSTNode) -> range:
        """Those of a simple statement, or from the head of a block to the node: one that runs is noted."""
        statement = self._statements[-1] if self._statements else node
        last = statement if isinstance(statement, cst.SimpleStatementLine) else node
        start, end = (self.get_metadata(PositionProvider, each) for each in (statement, last))
        return range(start.start.line, end.end.line + 1)


def _is_left_alone(node: cst.CSTNode) -> bool:
    """Types, ports, imports and decorators are no behaviour; the wording of logs and errors is promised to nobody."""
    match node:
        case (
            cst.Annotation()
            | cst.Decorator()
            | cst.Import()
            | cst.ImportFrom()
            | cst.ClassDef(bases=[*_, cst.Arg(value=cst.Name("Protocol"))])
            | cst.Assign(value=cst.BinaryOperation(operator=cst.BitOr()))
            | cst.Assign(value=cst.Subscript(value=cst.Name("Callable" | "Mapping" | "Sequence" | "tuple")))
            | cst.Assign(value=cst.Call(func=cst.Name("NewType" | "TypeVar")))
            | cst.AnnAssign(target=cst.Name("IMPOSSIBLE"))
            | cst.FunctionDef(name=cst.Name("__repr__"))
            | cst.Call(func=cst.Name("cast"))
            | cst.Arg(keyword=cst.Name("kw_only"))
            | cst.Expr(value=cst.Call(func=cst.Attribute(value=cst.Name("log"))))
            | cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString() | cst.Ellipsis())
            | cst.Assign(targets=[cst.AssignTarget(target=cst.Name("log" | "__slots__" | "__all__"))])
        ):
            return True
        case cst.Raise(exc=cst.Call(args=arguments)):
            return len(arguments) < 2
        case _:
            return False


def _string(node: cst.SimpleString) -> Iterator[cst.CSTNode]:
    swapped = [(old, new) for old, new in _SQL_SWAPS if old in node.value]
    for old, new in swapped if any(word in node.value for word in ("SELECT", "WHERE", "$1")) else ():
        yield node.with_changes(value=node.value.replace(old, new, 1))
    if not node.value.endswith('"""'):
        # The first of mutmut's; the others change the case alone.
        yield from list(operator_string(node))[:1]


def _dropped_statement(node: cst.Expr) -> Iterator[cst.CSTNode]:
    yield cst.Pass()


def _dropped_guard(node: cst.If) -> Iterator[cst.CSTNode]:
    yield node.with_changes(test=cst.Name("False"))


def _dropped_operand(node: cst.BooleanOperation) -> Iterator[cst.CSTNode]:
    # In parentheses, so that no operator around it binds otherwise.
    for side in (node.left, node.right):
        yield side.with_changes(
            lpar=[cst.LeftParen(), *side.lpar],
            rpar=[*side.rpar, cst.RightParen()],
        )


def _dropped_element(node: cst.Set | cst.List | cst.Tuple | cst.Dict) -> Iterator[cst.CSTNode]:
    for at in range(len(node.elements)) if len(node.elements) > 2 else ():
        yield node.with_changes(elements=[*node.elements[:at], *node.elements[at + 1 :]])


OPERATORS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Iterable[cst.CSTNode]]], ...] = (
    *((kind, operator) for kind, operator in mutation_operators if operator is not operator_string),
    (cst.SimpleString, _string),
    (cst.Expr, _dropped_statement),
    (cst.If, _dropped_guard),
    (cst.BooleanOperation, _dropped_operand),
    ((cst.Set, cst.List, cst.Tuple, cst.Dict), _dropped_element),
)
