"""Every contract of .importlinter holds, and each one refuses an import that it forbids."""

import subprocess
import sys
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter import Contract
from importlinter.api import read_configuration
from importlinter.contracts.layers import LayersContract

from tests.architecture.allow_list import AllowList

ROOT = Path(__file__).parents[2]
CONFIGURATION = read_configuration(str(ROOT / ".importlinter"))
CONTRACTS: dict[str, dict[str, Any]] = {it["name"]: it for it in CONFIGURATION["contracts_options"]}
TYPES: dict[str, type[Contract]] = {"allow_list": AllowList, "layers": LayersContract}
FLOW = "The flow is pure: itself, the core's plain types, msgspec, the pure part of the standard library"
CANDIDATES = ("sqlite3", "bot.settings", "playground.server.app", "django")
"""Imports to plant: of each contract at least one is not on the list."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    roots = CONFIGURATION["session_options"]["root_packages"]
    return grimp.build_graph(*roots, include_external_packages=True, cache_dir=None)


def contract_of(name: str) -> Contract:
    options = CONTRACTS[name]
    return TYPES[options["type"]](name, CONFIGURATION["session_options"], options)


def is_kept(name: str, graph: grimp.ImportGraph) -> bool:
    return contract_of(name).check(graph, verbose=False).kept


def planted(graph: grimp.ImportGraph, importer: str, imported: str) -> grimp.ImportGraph:
    changed = deepcopy(graph)
    if imported not in changed.modules:
        changed.add_module(imported, is_squashed=True)
    changed.add_import(importer=importer, imported=imported)
    return changed


def test_the_contracts_hold() -> None:
    # A process of its own: the tool sets up logging anew, and the loggers of other tests would fall silent.
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    ran = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout


def forbidden_import(name: str, graph: grimp.ImportGraph) -> tuple[str, str]:
    """Return an import that this contract has to refuse: of the lowest layer the highest, or something not listed."""
    options = CONTRACTS[name]
    if options["type"] == "layers":
        container = "".join(f"{it}." for it in options.get("containers", ()))
        lowest, highest = options["layers"][-1], options["layers"][0]
        return first_module(container + lowest, graph), first_module(container + highest, graph)
    importer = first_module(options["packages"][0], graph, options.get("except_packages", ()))
    allowed = (*options["packages"], *options.get("allowed", ()))
    imported = next(
        candidate
        for candidate in CANDIDATES
        if candidate.split(".")[0] not in allowed
        and candidate not in allowed
        and not (candidate == "sqlite3" and "stdlib" in allowed)
    )
    return importer, imported


def first_module(layer: str, graph: grimp.ImportGraph, excepted: Sequence[str] = ()) -> str:
    package = layer.split("|")[0].strip()
    return min(graph.find_children(package) - set(excepted), default=package)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_forbidden_import_is_refused(name: str, graph: grimp.ImportGraph) -> None:
    assert is_kept(name, graph)
    assert not is_kept(name, planted(graph, *forbidden_import(name, graph)))


@pytest.mark.parametrize(
    "imported",
    ["sqlite3", "os", "pathlib", "time", "random", "asyncio", "logging", "bot.settings", "bot.engine.replicas",
     "verification.core", "verification.ports", "verification.dialogue_store", "pydantic", "telegram"],
)  # fmt: skip
def test_the_flow_refuses_whatever_is_not_on_its_list(imported: str, graph: grimp.ImportGraph) -> None:
    changed = planted(graph, "bot.flow.typed_input", imported)

    assert not is_kept(FLOW, changed)


def test_every_package_has_an_allow_list(graph: grimp.ImportGraph) -> None:
    listed = [
        package for options in CONTRACTS.values() if options["type"] == "allow_list" for package in options["packages"]
    ]

    def is_listed(module: str) -> bool:
        return any(module == package or module.startswith(f"{package}.") for package in listed)

    roots = CONFIGURATION["session_options"]["root_packages"]
    ours = [module for module in graph.modules if module.split(".")[0] in roots]
    assert [module for module in ours if not is_listed(module)] == ["bot"]
