"""The API, called as its document says. Schemathesis takes long to be imported: only who calls it imports this."""

import asyncio
import json
import threading
from collections import Counter
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import httpx
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
OPERATIONS = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text("utf-8"))).get_all_operations()
    if isinstance(found, Ok)
}


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

    def answers_to(self, label: str, mode: str, examples: int) -> Counter[int]:
        """Send as many requests of an operation, valid or invalid ones; check the answers; count the status codes."""
        answers = Counter[int]()
        operation = OPERATIONS[label]
        cases = operation.as_strategy(GenerationMode(mode))
        if label == "POST /v1/attempts" and mode == "positive":
            # No schema can say what a check digit is.
            cases = operation.as_strategy(body=EXAMPLE) | cases
        elif "{id}" in operation.path:
            known = operation.as_strategy(path_parameters={"id": self.make(operation.path)})
            cases = known | cases

        @settings(
            max_examples=examples,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        )
        @given(case=cases)
        def play(case: schemathesis.Case[Any]) -> None:
            answer = case.call_and_validate(self.url, headers=HEADERS, checks=CHECKS)
            answers[answer.status_code] += 1

        play()
        return answers

    def __enter__(self) -> "ServedApi":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()
