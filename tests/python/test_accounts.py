"""The unmodified MLflow client with tokens: as a token, as user name and password, and with what a role may not."""

import json
import urllib.error
import urllib.request

import mlflow
import numpy
import pytest
from conftest import Server
from mlflow.exceptions import MlflowException
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


@pytest.fixture(params=["sqlite", "postgres"])
def server(request, tmp_path):
    shared = request.param == "postgres"
    database = request.getfixturevalue("postgres").database() if shared else None
    server = Server(tmp_path, database).start("--auth", "tokens")
    yield server
    server.stop()


@pytest.fixture
def token(server, beira):
    """Makes a token."""

    def make(role, *options):
        return beira("token", "create", "--db", server.db, "--role", role, *options).strip()

    return make


@pytest.fixture
def use(client, monkeypatch):
    """From now on the client has this token."""

    def use(token=None, password=None):
        for name, value in [
            ("TOKEN", token),
            ("USERNAME", password and "ada"),
            ("PASSWORD", password),
        ]:
            if value:
                monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
            else:
                monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)

    return use


def test_a_team_trains_and_another_does_not_see_it(server, client, token, use, beira):
    with pytest.raises(MlflowException, match="UNAUTHENTICATED"):
        client.search_experiments()
    use(token("admin"))
    ours = client.create_experiment("ours")
    theirs = client.create_experiment("theirs")

    use(token("logger", "--name", "ours", "--experiment", "ours", "--model", "flowers"))
    assert [e.name for e in client.search_experiments()] == ["ours"]
    mlflow.set_experiment("ours")
    x, y = load_iris(return_X_y=True)
    with mlflow.start_run() as run:
        mlflow.log_params({"depth": 3})
        mlflow.log_metrics({"loss": 0.5}, step=1)
        mlflow.log_text("hello", "notes/a b.txt")
        model = to_onnx(LogisticRegression(max_iter=200).fit(x, y), x[:1].astype(numpy.float32), options={"zipmap": False})
        mlflow.onnx.log_model(model, name="model", registered_model_name="flowers")
    assert list(mlflow.search_runs().run_id) == [run.info.run_id]
    assert client.list_artifacts(run.info.run_id)[0].path == "notes"
    with pytest.raises(MlflowException, match="PERMISSION_DENIED"):
        client.create_run(theirs)
    with pytest.raises(MlflowException, match="PERMISSION_DENIED"):
        client.create_registered_model("others")
    with pytest.raises(MlflowException, match="role of this token, logger"):
        client.set_registered_model_alias("flowers", "champion", "1")

    use(password=token("viewer", "--model", "flowers"))
    assert [m.name for m in client.search_registered_models()] == ["flowers"]
    loaded = mlflow.onnx.load_model("models:/flowers/1")
    assert loaded.graph.node
    with pytest.raises(MlflowException, match="PERMISSION_DENIED"):
        client.get_run(run.info.run_id)
    with pytest.raises(MlflowException, match="PERMISSION_DENIED"):
        client.log_metric(run.info.run_id, "loss", 1)

    listed = beira("token", "list", "--db", server.db)
    assert f"experiment {ours}, model flowers" in listed
    logger = next(line.split()[0] for line in listed.splitlines() if line.endswith("ours"))
    beira("token", "revoke", logger, "--db", server.db)
    assert logger not in beira("token", "list", "--db", server.db)
    assert "there is no token" in beira("token", "revoke", logger, "--db", server.db, fails=True)


def test_predictions_and_counters(server, token):
    def ask(path, body, token=None):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(server.url + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    viewer, ingest = token("viewer"), token("ingest")
    assert [ask("/predict/nobody", {}, token) for token in (None, ingest, viewer)] == [401, 403, 404]
    assert [ask("/telemetry/counters", {}, token) for token in (None, viewer, ingest)] == [401, 403, 422]
    assert ask("/telemetry/counters", {"ingest_key": ingest}) == 422
