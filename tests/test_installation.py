"""The locks are complete on every Python, and `tools/install.sh` makes an environment of exactly what they say."""

import hashlib
import os
import platform
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
POSTGRES: Sequence[str] = PROJECT["project"]["optional-dependencies"]["postgres"]
WANTED: Mapping[str, Sequence[str]] = {
    "requirements.lock": [*PROJECT["project"]["dependencies"], *POSTGRES],
    "requirements-dev.lock": [*PROJECT["project"]["dependencies"], *POSTGRES, *PROJECT["dependency-groups"]["dev"]],
    "requirements-bench.lock": PROJECT["dependency-groups"]["bench"],
    "requirements-locking.lock": PROJECT["dependency-groups"]["locking"],
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "darwin": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
}
NOT_LOCKED = {"pip", "setuptools"}
"""What a fresh environment brings along."""


def locked(name: str) -> dict[str, Requirement]:
    """What a lock says: each package once, and pinned."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [Requirement(line.removesuffix("\\")) for line in lines if re.match("[a-z]", line)]
    pinned = {str(canonicalize_name(each.name)): each for each in found}
    assert len(pinned) == len(found)
    return pinned


def version_of(pin: Requirement) -> str:
    [specifier] = pin.specifier
    assert specifier.operator == "=="
    return specifier.version


def environment(python: str, system: str) -> dict[str, str]:
    return {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        **SYSTEMS[system],
    }


def applies(requirement: Requirement, where: Mapping[str, str], extras: frozenset[str] = frozenset()) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**where, "extra": extra}) for extra in extras or {""})


def walked(
    lock: Mapping[str, Requirement], wanted: Sequence[str], where: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """What is wanted, and what that wants, and so on: each package's name, and what is wrong with it in the lock."""
    ahead = [each for each in map(Requirement, wanted) if applies(each, where)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while ahead:
        requirement = ahead.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        pin = lock.get(name)
        if pin is None or not applies(pin, where):
            yield name, "is not there"
            continue
        fits = requirement.specifier.contains(version_of(pin), prereleases=True)
        yield name, "" if fits else f"{version_of(pin)} is not {requirement.specifier}"
        if (name, extras) not in seen:
            seen.add((name, extras))
            ahead += [each for each in needs_of(name, pin) if applies(each, where, extras)]


def needs_of(name: str, pin: Requirement) -> list[Requirement]:
    """What a package asks for; nothing is known of one for another Python, which is not installed here."""
    if pin.marker is not None and not pin.marker.evaluate():
        return []
    return [Requirement(need) for need in distribution(name).requires or ()]


# What locks are made with stands alone, and is not installed here.
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_holds_all_that_is_needed_and_nothing_else(name: str, python: str, system: str) -> None:
    lock, where = locked(name), environment(python, system)
    told = list(walked(lock, WANTED[name], where))

    assert not {package: wrong for package, wrong in told if wrong}
    assert {package for package, _ in told} == {package for package, pin in lock.items() if applies(pin, where)}


def test_the_lock_of_the_tools_that_make_locks_holds_these_tools_alone() -> None:
    wanted = {requirement.name: requirement for requirement in map(Requirement, WANTED["requirements-locking.lock"])}
    pins = {pin.name: pin for pin in locked("requirements-locking.lock").values()}

    assert pins.keys() == wanted.keys()
    assert all(wanted[name].specifier.contains(version_of(pin)) for name, pin in pins.items())


def test_the_tests_run_on_what_the_bot_runs_on() -> None:
    runtime, dev = locked("requirements.lock"), locked("requirements-dev.lock")

    assert {name: str(pin) for name, pin in runtime.items()} == {name: str(dev.get(name)) for name in runtime}


def test_the_other_bots_of_the_benchmark_run_on_the_library_that_the_bot_runs_on() -> None:
    runtime, bench = locked("requirements.lock"), locked("requirements-bench.lock")

    assert str(bench["python-telegram-bot"]) == str(runtime["python-telegram-bot"])
    assert all(
        Requirement(each).specifier.contains(version_of(bench[str(canonicalize_name(Requirement(each).name))]))
        for each in WANTED["requirements-bench.lock"]
    )


def test_what_is_installed_is_what_is_locked() -> None:
    where = environment(".".join(platform.python_version_tuple()[:2]), sys.platform)
    lock = {name: pin for name, pin in locked("requirements-dev.lock").items() if applies(pin, where)}

    assert {name: distribution(name).version for name in lock} == {name: version_of(pin) for name, pin in lock.items()}


@pytest.mark.parametrize("name", WANTED)
def test_every_package_of_a_lock_has_a_hash(name: str) -> None:
    blocks = re.split(r"^(?=[a-z])", (ROOT / name).read_text(encoding="utf-8"), flags=re.M)[1:]

    assert not [block.split()[0] for block in blocks if "--hash=sha256:" not in block]


def wheel(folder: Path, name: str, version: str, needs: str = "") -> str:
    """A package with nothing in it, and its line for a lock."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    facts = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{facts}/METADATA", "\n".join([*lines, *([f"Requires-Dist: {needs}"] if needs else []), ""]))
        file.writestr(
            f"{facts}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{facts}/RECORD", "")
    return f"{name} @ {path.as_uri()} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Place:
    """A folder with locks, where environments are made without any index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        self.small = wheel(folder, "small", "1")
        self.tool = wheel(folder, "tool", "1", "small")
        self.lock(runtime=self.small, dev=self.small + self.tool)

    def lock(self, *, runtime: str, dev: str) -> None:
        (self.folder / "requirements.lock").write_text(runtime)
        (self.folder / "requirements-dev.lock").write_text(dev)

    def install(self, part: str, python: str = "", venv: str = ".venv") -> tuple[int, str]:
        """How it ended, and what it said."""
        script = ["sh", str(ROOT / "tools" / "install.sh"), venv, part, *([python] if python else [])]
        without = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
        told = subprocess.run(
            script,
            cwd=self.folder,
            env=os.environ | without,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return told.returncode, told.stdout

    def python(self, body: str) -> str:
        """Something that is called like a Python."""
        path = self.folder / "python-of-somebody"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return str(path)

    @property
    def stamps(self) -> set[str]:
        """What is said to be installed."""
        return {path.stem for path in self.venv.glob("*.lock")}

    @property
    def installed(self) -> set[str]:
        """What is."""
        found = self.venv.glob("lib/python*/site-packages/*.dist-info")
        return {path.name.partition("-")[0] for path in found} - NOT_LOCKED


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.slow("installation")
def test_an_installation_is_made_once_and_follows_its_locks_its_python_and_its_place(place: Place) -> None:
    code, told = place.install("runtime", sys.executable)
    assert (code, place.stamps, place.installed) == (0, {"runtime"}, {"small"}), told
    assert place.install("runtime") == (0, "")

    code, told = place.install("dev")
    assert (code, place.stamps, place.installed) == (0, {"runtime", "dev"}, {"small", "tool"}), told
    assert "Making" not in told
    assert place.install("runtime") == place.install("dev") == place.install("dev", sys.executable) == (0, "")

    other = wheel(place.folder, "other", "1")
    place.lock(runtime=other, dev=other)
    code, told = place.install("dev")
    assert (code, place.stamps, place.installed) == (0, {"runtime", "dev"}, {"other"}), told

    (place.venv / "made").write_text("3.10.0 of another build")
    code, told = place.install("runtime", sys.executable)
    assert (code, "Making .venv with" in told, place.stamps) == (0, True, {"runtime"}), told
    assert (place.venv / "made").read_text().startswith(" ".join(sys.version.split()))

    place.venv = place.venv.rename(place.folder / ".venv-2")
    code, told = place.install("runtime", venv=".venv-2")
    assert (code, "Making .venv-2 with" in told) == (0, True), told

    (place.venv / "bin" / "python").unlink()
    code, told = place.install("runtime", sys.executable, venv=".venv-2")
    assert (code, "Making .venv-2 with" in told, place.installed) == (0, True, {"other"}), told
    assert place.install("runtime", venv=".venv-2") == (0, "")


@pytest.mark.slow("installation")
def test_an_installation_that_failed_leaves_no_stamp_and_is_tried_again(place: Place) -> None:
    place.lock(runtime=place.small, dev=place.tool.replace("sha256:", "sha256:0")[:-2])
    code, told = place.install("dev", sys.executable)
    assert (code != 0, place.stamps) == (True, set()), told

    place.lock(runtime=place.small, dev=place.tool)
    code, told = place.install("dev")
    assert (code, place.stamps) == (1, set())
    assert told.splitlines()[-1].startswith("requirements-dev.lock is not complete: tool 1 requires small")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("exit 127", "python-of-somebody does not start. Python 3.11 or newer is needed: make PYTHON=python3.11"),
        (
            "case $2 in *print*) echo 3.10 ;; *exit*) exit 1 ;; esac",
            "python-of-somebody is Python 3.10. Python 3.11 or newer is needed: make PYTHON=python3.11",
        ),
        (
            "case $2 in *print*) echo 3.12 ;; *ensurepip*) exit 1 ;; esac",
            "Python 3.12 came without its venv module. On Debian and Ubuntu: apt install python3.12-venv",
        ),
    ],
)
def test_a_python_that_does_not_do_is_told_in_one_line(place: Place, body: str, line: str) -> None:
    code, told = place.install("runtime", place.python(body))

    assert code == 1
    assert told.endswith(f"{line}\n")
    assert told.count("\n") == 1
    assert not place.venv.exists()


def test_a_python_that_is_not_there_is_told_in_one_line(place: Place) -> None:
    line = "There is no python-of-nobody here. Python 3.11 or newer is needed: make PYTHON=python3.11\n"

    assert place.install("runtime", "python-of-nobody") == (1, line)


def test_a_folder_that_is_no_environment_stays_as_it_is(place: Place) -> None:
    before = sorted(place.folder.iterdir())
    code, told = place.install("runtime", sys.executable, venv=".")

    assert (code, told.count("\n")) == (1, 1)
    assert "stays as it is" in told
    assert sorted(place.folder.iterdir()) == before
