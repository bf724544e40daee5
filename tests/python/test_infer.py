"""`beira infer` with the tools of others: an OpenAPI validator, MLflow's scoring client."""

import json
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import jsonschema
import numpy as np
import onnxruntime
import pandas as pd
import pytest
from conftest import BEIRA
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from openapi_spec_validator import validate

IRIS = Path(__file__).parents[2] / "server/tests/it/iris.onnx"
ROWS = np.array([[5.1, 3.5, 1.4, 0.2], [6.2, 2.8, 4.8, 1.8], [5.9, 3.0, 4.2, 1.5]], dtype=np.float32)


@pytest.fixture(scope="module")
def infer():
    """The port of a `beira infer` on the iris model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([BEIRA, "infer", "--model", IRIS, "--port", str(port)])
    for _ in range(200):
        assert process.poll() is None, "beira infer ended at once"
        try:
            get(port, "/v2/health/ready")
            break
        except OSError:
            time.sleep(0.05)
    yield port
    process.terminate()
    assert process.wait(timeout=10) == 0


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return json.load(answer)


def post(port, path, body):
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def test_the_openapi_document_is_valid_and_true(infer):
    document = get(infer, "/openapi.json")
    validate(document)
    schemas = document["components"]["schemas"]
    record = schemas["iris.Input"]["examples"][0]
    jsonschema.validate(record, schemas["iris.Input"])
    jsonschema.validate(post(infer, "/predict/iris", record), schemas["iris.Output"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**record, "X[0]": "text"}, schemas["iris.Input"])


def test_mlflows_scoring_client_gets_what_onnxruntime_says(infer):
    client = ScoringServerClient("127.0.0.1", infer)
    client.ping()
    assert client.get_version() == "3.17.2"
    frame = pd.DataFrame(ROWS, columns=[f"X[{i}]" for i in range(4)])
    answers = client.invoke(frame).get_predictions()
    label, probabilities = onnxruntime.InferenceSession(IRIS).run(None, {"X": ROWS})
    assert list(answers["label"]) == list(label)
    ours = np.array([list(p.values()) if isinstance(p, dict) else p for p in answers["probabilities"]])
    np.testing.assert_allclose(ours, probabilities, atol=1e-6)
