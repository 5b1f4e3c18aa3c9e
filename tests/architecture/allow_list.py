"""A contract for import-linter: a package imports what its list allows, and nothing else.

import-linter's own contracts name what is forbidden, so a new way out of a package passes until somebody forbids it.
This one names what is allowed. It judges direct imports; what an allowed module imports has a contract of its own.
"""

import sys

import grimp
from importlinter import Contract, ContractCheck, fields, output

PURE = frozenset(
    {
        *(
            "__future__",
            "abc",
            "base64",
            "bisect",
            "calendar",
            "collections",
            "copy",
            "csv",
            "dataclasses",
            "datetime",
            "difflib",
        ),
        *("decimal", "enum", "fractions", "functools", "hashlib", "heapq", "hmac", "html", "io", "itertools", "json"),
        *("math", "operator", "re", "statistics", "string", "textwrap", "types", "typing", "unicodedata", "zlib"),
    }
)
"""The part of the standard library that computes: no files, no sockets, no clock, no processes, no randomness.

`datetime` is in it for its values; tests/architecture/test_source.py refuses calls of the clock.
"""

STANDARD_LIBRARY = frozenset(sys.stdlib_module_names)


class AllowList(Contract):
    """`packages` may import each other, what `allowed` names, and with it every module below.

    `pure` in the list stands for the pure part of the standard library, `stdlib` for all of it. `except_packages` are
    parts with a contract of their own.
    """

    type_name = "allow_list"

    packages = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField(), required=False, default=[])
    except_packages = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Collect the imports that the list does not name."""
        refused = [
            (importer, imported)
            for importer in sorted(graph.modules)
            if self._is_ours(importer)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not self._allows(imported)
        ]
        return ContractCheck(kept=not refused, metadata={"refused": refused})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print a line for each import that is not allowed."""
        for importer, imported in check.metadata["refused"]:
            output.print_error(f"{importer} imports {imported}, which its allow-list does not name")

    def _is_ours(self, module: str) -> bool:
        return _is_below(module, self.packages) and not _is_below(module, self.except_packages)

    def _allows(self, module: str) -> bool:
        root = module.partition(".")[0]
        return (
            self._is_ours(module)
            or _is_below(module, self.allowed)
            or (_is_below("pure", self.allowed) and root in PURE)
            or (_is_below("stdlib", self.allowed) and root in STANDARD_LIBRARY)
        )


def _is_below(module: str, packages: object) -> bool:
    assert isinstance(packages, list)
    return any(module == package or module.startswith(f"{package}.") for package in packages)
