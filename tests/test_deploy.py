"""The files of deploy/: what they name exists, and what they promise is set."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bot.settings import SECRET_FILES, Settings
from command_line import app
from tests import containerfile

DEPLOY = Path(__file__).parents[1] / "deploy"
ANALYZE = shutil.which("systemd-analyze")
VARIABLES = {name.upper() for name in Settings.model_fields} | {f"{name}_file".upper() for name in SECRET_FILES}


def words_of(instruction: str) -> list[str]:
    """The words of an instruction of the last stage, written as a list."""
    [found] = [each.text for each in containerfile.stages()[-1] if each.name == instruction]
    return re.findall(r'"([^"]+)"', found)


def environment_of_image() -> dict[str, str]:
    [found] = [each.words for each in containerfile.stages()[-1] if each.name == "ENV"]
    return dict(word.split("=", 1) for word in found)


# The container


def test_the_container_is_built_from_files_that_exist_with_every_package() -> None:
    [build, final] = containerfile.stages()
    sources = [source for group, _ in containerfile.copied(build) for source in group]

    assert not list(containerfile.copied(final)), "it takes nothing from the project's folder but what was built"
    assert not [source for source in sources if not (containerfile.ROOT / source).exists()]
    assert {source for source in sources if (containerfile.ROOT / source).is_dir()} == {
        "bot",
        "chatscript",
        "playground",
        "storage",
        "verification",
        "web",
    }


def test_the_container_uses_known_instructions_and_one_python() -> None:
    both = [each for stage in containerfile.stages() for each in stage]

    assert {each.name for each in both} <= {
        "FROM",
        "WORKDIR",
        "RUN",
        "COPY",
        "ENV",
        "VOLUME",
        "USER",
        "EXPOSE",
        "HEALTHCHECK",
        "ENTRYPOINT",
    }
    assert len({each.words[0] for each in both if each.name == "FROM"}) == 1


def test_the_container_runs_without_root_and_is_asked_by_a_command_of_ours() -> None:
    final = containerfile.stages()[-1]
    [user] = [each.text for each in final if each.name == "USER"]
    program, command = words_of("HEALTHCHECK")

    assert all(int(number) > 0 for number in user.split(":"))
    assert words_of("ENTRYPOINT") == [program] == ["realname-bot"]
    assert command in get_command(app).commands  # type: ignore[attr-defined]  # a group has commands
    assert environment_of_image().keys() - {"PATH", "PYTHONUNBUFFERED"} <= VARIABLES


# Compose


@pytest.fixture
def compose() -> Any:
    # On Python 3.13 the lock has a fork of it, with a name of its own.
    yaml = pytest.importorskip("yaml_ft" if sys.version_info[:2] == (3, 13) else "yaml")
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def test_compose_runs_two_programs_by_webhook_with_a_read_only_root(compose: Any) -> None:
    programs = [compose["services"][name] for name in ("bot1", "bot2")]

    for program in programs:
        assert program["read_only"]
        assert program["cap_drop"] == ["ALL"]
        assert program["environment"].keys() <= VARIABLES
        assert {"WEBHOOK_URL", "WEBHOOK_SECRET_FILE", "DATABASE_URL_FILE", "INDEX_KEY_FILE"} <= set(
            program["environment"]
        )
        assert (DEPLOY / program["build"]["context"] / program["build"]["dockerfile"]).is_file()
    assert programs[0]["environment"] == programs[1]["environment"]
    assert programs[0]["volumes"] != programs[1]["volumes"]


def test_compose_hands_over_every_secret_that_it_names(compose: Any) -> None:
    used = {secret for service in compose["services"].values() for secret in service.get("secrets", ())}
    paths = {
        value.removeprefix("/run/secrets/")
        for service in compose["services"].values()
        for name, value in service.get("environment", {}).items()
        if name.endswith("_FILE")
    }

    assert used == paths == set(compose["secrets"])
    assert all(secret["file"].startswith("secrets/") for secret in compose["secrets"].values())


def test_the_proxy_leads_to_every_program_and_hides_what_is_for_operators(compose: Any) -> None:
    proxy = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    [upstreams] = re.findall(r"^reverse_proxy (.*) \{$", proxy, re.MULTILINE)
    port = environment_of_image()["PORT"]
    programs = [name for name, service in compose["services"].items() if service.get("image") == "realname-bot"]

    assert upstreams.split() == [f"{name}:{port}" for name in programs]
    assert "@inside path /metrics /readyz /healthz\nrespond @inside 404\n" in proxy
    assert "\thealth_uri /readyz\n" in proxy


# systemd


def test_the_unit_sets_what_the_program_knows_and_leaves_wrong_settings_alone() -> None:
    unit = (DEPLOY / "realname-bot.service").read_text(encoding="utf-8")
    credentials = set(re.findall(r"^LoadCredential=(\w+):", unit, re.MULTILINE))

    assert set(re.findall(r"^Environment=(\w+)=", unit, re.MULTILINE)) <= VARIABLES
    assert credentials == set(re.findall(r"=%d/(\w+)$", unit, re.MULTILINE)) == {"bot_token"}
    assert re.search(r"^Type=notify$", unit, re.MULTILINE)
    assert re.search(r"^RestartPreventExitStatus=2$", unit, re.MULTILINE)


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")
def test_systemd_accepts_the_unit_and_finds_it_hardened(tmp_path: Path) -> None:
    unit = tmp_path / "realname-bot.service"
    text = (DEPLOY / "realname-bot.service").read_text(encoding="utf-8")
    # The program is not installed here.
    unit.write_text(re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", text, flags=re.MULTILINE), encoding="utf-8")

    for check in (("verify",), ("security", "--offline=yes", "--threshold=20", "--no-pager")):
        ended = subprocess.run((str(ANALYZE), *check, unit), capture_output=True, text=True, timeout=60, check=False)
        assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


def test_the_example_of_settings_holds_settings_and_no_secret() -> None:
    text = (DEPLOY / "bot.env.example").read_text(encoding="utf-8")
    names = set(re.findall(r"^(?:# )?([A-Z_]+)=", text, re.MULTILINE))

    assert names <= {name.upper() for name in Settings.model_fields} - {name.upper() for name in SECRET_FILES}
