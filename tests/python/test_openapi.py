"""Requests that schemathesis makes up from the server's own OpenAPI document, good and bad ones: the answers are those that the
document names, and a 5xx is one of MLflow's own."""

import subprocess
import time
from pathlib import Path

import pytest
import requests
import schemathesis
from conftest import BEIRA, Server, free_port
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

IRIS = Path(__file__).parents[2] / "server/tests/it/iris.onnx"
CHECKS = [content_type_conformance, response_schema_conformance, status_code_conformance]
EXAMPLES = 4  # of each kind, good and bad, for each route
OWN = {"INVALID_STATE", "NOT_IMPLEMENTED"}  # MLflow's codes whose status is 500 and 501


def conforms(url, known):
    """Asks every route of the document; `known()` makes things and says their names, which half of the requests use."""
    document = requests.get(f"{url}/openapi.json", timeout=5).json()
    validate(document)
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    routes, faults = 0, []
    for found in schema.get_all_operations():
        route = found.ok()
        routes += 1
        names = known()
        typed = route.query or any(body.media_type == "application/json" for body in route.body)
        for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
            if mode is GenerationMode.NEGATIVE and not typed:
                continue  # every text is a path, and all bytes are a file
            try:
                ask(route, mode, names)
            except (Exception, FailureGroup) as error:
                faults.append(f"{route.method.upper()} {route.path} {mode.name}: {error}")
    assert routes == sum(len(methods) for methods in document["paths"].values())
    assert not faults, "\n\n".join(faults)


def ask(route, mode, names):
    @seed(5)
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(case=route.as_strategy(generation_mode=mode), use=st.booleans())
    def story(case, use):
        if use:
            for part in case.path_parameters, case.query, case.body:
                if isinstance(part, dict):
                    part.update({name: value for name, value in names.items() if name in part})
        answer = case.call()
        if answer.status_code < 500 or answer.json().get("error_code") not in OWN:
            case.validate_response(answer, checks=[not_a_server_error, *CHECKS])
        else:
            case.validate_response(answer, checks=CHECKS)

    story()


@pytest.mark.parametrize("server", ["sqlite", "postgres"], indirect=True)
def test_the_tracking_server_answers_as_its_document_says(server):
    def post(path, body):
        answer = requests.post(f"{server.url}/api/2.0/mlflow/{path}", json=body, timeout=5)
        assert answer.ok, answer.text
        return answer.json()

    def known():
        known.count += 1
        name = f"model {known.count}"
        experiment = post("experiments/create", {"name": name})["experiment_id"]
        run = post("runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"]
        logged = post("logged-models", {"experiment_id": experiment, "source_run_id": run})["model"]["info"]["model_id"]
        post("registered-models/create", {"name": name})
        post("model-versions/create", {"name": name, "source": f"runs:/{run}/model", "run_id": run})
        post("registered-models/alias", {"name": name, "alias": "a", "version": "1"})
        tag = {"key": "k", "value": "v"}
        post("runs/set-tag", tag | {"run_id": run})
        post("experiments/set-experiment-tag", tag | {"experiment_id": experiment})
        post("registered-models/set-tag", tag | {"name": name})
        post("model-versions/set-tag", tag | {"name": name, "version": "1"})
        trace, source = f"tr-{known.count}", f"runs:/{run}/model"
        location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
        info = {"trace_id": trace, "trace_location": location, "request_time": "2026-01-01T00:00:00Z", "state": "OK"}
        post("../../3.0/mlflow/traces", {"trace": {"trace_info": info | {"tags": {"k": "v"}}}})
        one = {"experiment_id": experiment, "run_id": run, "model_id": logged, "trace_id": trace, "name": name}
        many = {"experiment_ids": [experiment], "run_ids": [run], "trace_ids": [trace], "locations": [location]}
        return one | many | {"version": "1", "alias": "a", "key": "k", "source": source, "path": "a/b", "metric_key": "m"}

    known.count = 0
    serve_iris(server, post)
    conforms(server.url, known)


def serve_iris(server, post):
    """A model to predict with."""
    run = post("runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
    folder = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/iris"
    assert requests.put(f"{folder}/model.onnx", data=IRIS.read_bytes(), timeout=5).ok
    post("registered-models/create", {"name": "iris"})
    post("model-versions/create", {"name": "iris", "source": f"runs:/{run}/iris", "run_id": run})
    post("registered-models/alias", {"name": "iris", "alias": "champion", "version": "1"})
    for _ in range(200):
        if "/predict/iris" in requests.get(f"{server.url}/openapi.json", timeout=5).json()["paths"]:
            return
        time.sleep(0.1)
    raise AssertionError(requests.get(f"{server.url}/api/beira/models/iris", timeout=5).text)


def test_the_server_of_predictions_answers_as_its_document_says():
    port = free_port()
    process = subprocess.Popen([BEIRA, "infer", "--model", IRIS, "--port", str(port)])
    try:
        for _ in range(200):
            assert process.poll() is None, "beira infer ended at once"
            try:
                if requests.get(f"http://127.0.0.1:{port}/v2/health/ready", timeout=1).ok:
                    break
            except OSError:
                time.sleep(0.05)
        conforms(f"http://127.0.0.1:{port}", lambda: {"name": "iris", "version": "1"})
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0
