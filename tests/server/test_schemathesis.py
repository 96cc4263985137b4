"""The API does what its document says, and fails at no call that can be made of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from penstock.server.problem import NOT_OFFERED
from tests.patience import PATIENCE_SECONDS
from tests.server.odd_events import WHOLE
from tests.server.serving import OWN, Serving, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_ADDRESS = 60_000
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("served")
    with serving(f"sqlite:///{folder}/ledger.db", calls_per_minute=10**9) as server:
        assert server.post(WHOLE).status_code == 201
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_call_is_answered_as_documented(server: Serving, mode: GenerationMode) -> None:
    document = schemathesis.openapi.from_url(f"{server.url}/openapi.json", timeout=PATIENCE_SECONDS)
    asked = set()
    for found in document.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(
            max_examples=10,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: schemathesis.Case[Any]) -> None:
            answer = case.call(
                base_url=server.url, session=server.session, timeout=PATIENCE_SECONDS
            )
            # an address above 64 KiB is refused before there is a call
            if len(answer.request.url or "") < LONGEST_ADDRESS:
                # what this server was not set up for is said as documented, and is no failure
                offered = answer.status_code != NOT_OFFERED
                case.validate_response(answer, checks=CHECKS if offered else CHECKS[1:])
            asked.add(case.operation.path)

        with contextlib.suppress(Unsatisfiable):  # nothing that it takes can be wrong
            ask()
    assert len(asked) > 10
    assert server.get(f"{OWN}/summary").status_code == 200


def test_every_call_is_in_the_document(server: Serving) -> None:
    document = requests.get(f"{server.url}/openapi.json", timeout=PATIENCE_SECONDS).json()
    assert {"/api/v1/lineage", "/api/v1/lineage/batch", "/api/penstock/v1/graph"} <= set(
        document["paths"]
    )
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert {"401", "403", "414", "422", "429", "503"} <= operation["responses"].keys(), path
            assert operation.get("summary"), (method, path)
