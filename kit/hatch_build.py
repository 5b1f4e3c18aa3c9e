"""Puts chatscript/ into the wheel, with the simulator inside: `playground` is too common a name for site-packages."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(r"^(\s*)(from|import) playground\b", re.MULTILINE)


class KitBuildHook(BuildHookInterface[Any]):
    """Copies the sources to a temporary folder and renames their imports."""

    folder: Path

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Copy the sources before the wheel is built."""
        self.folder = Path(tempfile.mkdtemp(prefix="chatscript-kit-"))
        package = self.folder / "chatscript"
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(ROOT / "chatscript", package, ignore=ignored)
        shutil.copytree(ROOT / "playground", package / "playground", ignore=ignored)
        for source in package.rglob("*.py"):
            source.write_text(renamed(source.read_text(encoding="utf-8")), encoding="utf-8")
        shutil.copy(ROOT / "LICENSE", package / "LICENSE")
        build_data["force_include"][str(package)] = "chatscript"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the copy."""
        shutil.rmtree(self.folder)


def renamed(source: str) -> str:
    """Return a module's text with the imports of the simulator from inside the package."""
    return _IMPORT.sub(r"\1\2 chatscript.playground", source)
