"""The bill of materials names what the lock installs, and says the same each time."""

import json
import subprocess
import sys
from typing import Any

from tests.test_installation import PROJECT, ROOT, locked, version_of


def bill() -> str:
    made = subprocess.run(
        (sys.executable, ROOT / "tools" / "sbom.py"), capture_output=True, text=True, timeout=60, check=True
    )
    return made.stdout


def test_every_package_of_the_lock_is_in_it_once_with_its_version() -> None:
    pins = locked("requirements.lock")
    components: list[dict[str, Any]] = json.loads(bill())["components"]

    assert [(each["name"], each["version"]) for each in components] == [
        (name, version_of(pin)) for name, pin in pins.items()
    ]
    assert [each["purl"] for each in components] == [f"pkg:pypi/{name}@{version_of(pin)}" for name, pin in pins.items()]
    assert {each["name"] for each in components if each["scope"] == "optional"} == {
        name for name, pin in pins.items() if pin.marker
    }


def test_it_is_of_this_version_and_always_the_same() -> None:
    made = json.loads(bill())

    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert made["metadata"]["component"]["version"] == PROJECT["project"]["version"]
    assert bill() == bill()
