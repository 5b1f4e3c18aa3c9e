"""The document of the API: it is served, it names what the code knows, and every answer is as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from verification.attempts import TYPED_METHODS, AttemptStatus, Method, Reason
from verification.identity import NameProblem
from verification.invitations import LinkState
from verification.numbers import NumberProblem
from web.api.problems import ProblemCode

if TYPE_CHECKING:
    from tests.web.schema_requests import ServedApi

DOCUMENT = Path(__file__).parents[2] / "web" / "api" / "openapi.json"
DOCUMENTED = json.loads(DOCUMENT.read_text("utf-8"))
OPERATIONS = [f"{verb.upper()} {path}" for path, verbs in DOCUMENTED["paths"].items() for verb in verbs]


@pytest.fixture(scope="module")
def served() -> Iterator[ServedApi]:
    from tests.web.schema_requests import ServedApi

    with ServedApi() as api:
        yield api


@pytest.mark.parametrize("examples", [2, pytest.param(25, marks=pytest.mark.slow("fuzz"))])
@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_as_the_document_says(served: ServedApi, operation: str, mode: str, examples: int) -> None:
    answers = served.answers_to(operation, mode, examples)

    # A document that describes only refusals would prove little.
    assert mode == "negative" or min(answers) < 300, answers


def test_the_document_is_served_without_a_key(served: ServedApi) -> None:
    answer = httpx.get(f"{served.url}/v1/openapi.json")

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == DOCUMENTED


def test_the_page_for_integrators_explains_every_word_of_a_problem() -> None:
    page = (DOCUMENT.parents[2] / "docs" / "integrators" / "api.md").read_text("utf-8")

    assert [
        word for words in (ProblemCode, NameProblem, NumberProblem) for word in words if f"`{word}`" not in page
    ] == []


def api_paths() -> set[str]:
    """The paths below `/v1`, as the routes have them."""
    source = (DOCUMENT.parent / "routes.py").read_text("utf-8")
    return set(re.findall(r'_route\(CallerScope\.\w+, "([^"]+)"', source))


def test_the_document_names_every_word_that_the_code_knows() -> None:
    schemas = DOCUMENTED["components"]["schemas"]
    attempt, link = schemas["Attempt"]["properties"], schemas["Link"]["properties"]
    event = schemas["VerificationEvent"]["properties"]["data"]["properties"]

    assert schemas["Problem"]["properties"]["code"]["enum"] == list(ProblemCode)
    assert schemas["Status"]["enum"] == list(AttemptStatus)
    assert schemas["Reason"]["enum"] == [*Reason, None]
    assert attempt["method"]["enum"] == schemas["NewAttempt"]["properties"]["method"]["enum"] == list(TYPED_METHODS)
    assert schemas["Account"]["properties"]["method"]["enum"] == [*Method, None]
    assert event["method"]["enum"] == list(Method)
    assert {*DOCUMENTED["paths"]} == {f"/v1{path}" for path in api_paths()}
    assert {*event["status"]["enum"]} == {*AttemptStatus, "verified"} - {"reserved", "waiting", "succeeded"}
    assert link["state"]["enum"] == list(LinkState)
