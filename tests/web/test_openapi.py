"""The document of the API: it is served, it names what the code knows, and every answer is as it says."""

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from storage import open_store
from tests.fakes import NUMBER, make_sealing
from tests.sqlite_file import sqlite_url
from tests.web.api_fixture import SHOP, ApiFixture
from verification.attempts import TYPED_METHODS, AttemptStatus, Method, Reason
from verification.identity import NameProblem
from verification.invitations import LinkState
from verification.numbers import NumberProblem
from web.api.problems import ProblemCode
from web.serving import listen, serving

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    unsupported_method,
    ignored_auth,
]
EXAMPLE = {
    "account": "cloud:100012345",
    "name": "王小明",
    "number": NUMBER,
    "method": "qq",
}
HEADERS = {"Authorization": f"Bearer {SHOP}"}
DOCUMENT = Path(__file__).parents[2] / "web" / "api" / "openapi.json"


class ServedApi:
    """The API on a port of its own thread, because the tests that schemathesis makes are not coroutines."""

    def __init__(self) -> None:
        self._listener = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._numbers = count()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        with TemporaryDirectory() as folder:
            async with open_store(sqlite_url(Path(folder)), sealing=make_sealing()) as store:
                api = ApiFixture(store, posts_results=True, monotonic_clock=lambda: monotonic() * 1000)
                async with serving(api.web.app, self._listener):
                    await self._stop.wait()

    def make(self, path: str) -> str:
        """Make what a path with an id is about, and return its id."""
        collection = "attempts" if path.startswith("/v1/attempts") else "links"
        body = {"account": f"cloud:{next(self._numbers)}"}
        if collection == "attempts":
            body = EXAMPLE | body
        answer = httpx.post(f"{self.url}/v1/{collection}", json=body, headers=HEADERS)
        made: str = answer.json()["id"]
        return made

    def __enter__(self) -> "ServedApi":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="module")
def served() -> Iterator[ServedApi]:
    with ServedApi() as api:
        yield api


OPERATIONS = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text("utf-8"))).get_all_operations()
    if isinstance(found, Ok)
}


@pytest.mark.parametrize("examples", [2, pytest.param(25, marks=pytest.mark.slow("fuzz"))])
@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_answer_is_as_the_document_says(
    served: ServedApi, operation: Any, mode: GenerationMode, examples: int
) -> None:
    answers = Counter[int]()
    cases = operation.as_strategy(mode)
    if operation.label == "POST /v1/attempts" and mode is GenerationMode.POSITIVE:
        # No schema can say what a check digit is.
        cases = operation.as_strategy(body=EXAMPLE) | cases
    elif "{id}" in operation.path:
        known = operation.as_strategy(path_parameters={"id": served.make(operation.path)})
        cases = known | cases

    @settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
    )
    @given(case=cases)
    def play(case: schemathesis.Case[Any]) -> None:
        answer = case.call_and_validate(served.url, headers=HEADERS, checks=CHECKS)
        answers[answer.status_code] += 1

    play()
    # A document that describes only refusals would prove little.
    assert mode is GenerationMode.NEGATIVE or min(answers) < 300, answers


def test_the_document_is_served_without_a_key(served: ServedApi) -> None:
    answer = httpx.get(f"{served.url}/v1/openapi.json")

    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == json.loads(DOCUMENT.read_text("utf-8"))


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
    schemas = json.loads(DOCUMENT.read_text("utf-8"))["components"]["schemas"]
    attempt, link = schemas["Attempt"]["properties"], schemas["Link"]["properties"]
    event = schemas["VerificationEvent"]["properties"]["data"]["properties"]

    assert schemas["Problem"]["properties"]["code"]["enum"] == list(ProblemCode)
    assert schemas["Status"]["enum"] == list(AttemptStatus)
    assert schemas["Reason"]["enum"] == [*Reason, None]
    assert attempt["method"]["enum"] == schemas["NewAttempt"]["properties"]["method"]["enum"] == list(TYPED_METHODS)
    assert schemas["Account"]["properties"]["method"]["enum"] == [*Method, None]
    assert event["method"]["enum"] == list(Method)
    assert {label.partition(" ")[2] for label in OPERATIONS} == {f"/v1{path}" for path in api_paths()}
    assert {*event["status"]["enum"]} == {*AttemptStatus, "verified"} - {"reserved", "waiting", "succeeded"}
    assert link["state"]["enum"] == list(LinkState)
