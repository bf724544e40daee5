"""Moving in from a real MLflow 3.17.2 (its server, its SQLite file, a folder `mlruns`), and out to it; and once more."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
from sklearn.linear_model import LogisticRegression

from conftest import BEIRA, Server
from differential.engine import MLflow

FILL = Path(__file__).parent / "fill.py"


def fill(uri, folder):
    """Logs everything that is moved, in a process of its own; its folder is where relative paths begin."""
    # MLflow's client leaves addresses of earlier tests in the environment.
    environment = os.environ | {"MLFLOW_TRACKING_URI": uri, "MLFLOW_REGISTRY_URI": uri}
    environment |= {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run([sys.executable, FILL], env=environment, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def source(request, tmp_path):
    """Address of an MLflow that is filled, and further arguments of `beira import`."""
    folder = tmp_path / "mlflow"
    folder.mkdir()
    if request.param == "mlruns":
        fill(str(folder / "mlruns"), folder)
        yield [str(folder / "mlruns")]
        return
    server = MLflow(folder)
    try:
        server.wait()
        fill(server.url, folder)
        yield [server.url] if request.param == "server" else [f"sqlite:///{folder}/mlflow.db", "--artifacts-from", folder / "files"]
    finally:
        server.stop()


def runs_of(client, experiment):
    found = client.search_runs([experiment], run_view_type=3)
    return {run.data.tags["mlflow.runName"]: run for run in found}


def check(client, tmp_path, traces=0):
    """What `fill.py` logged is there, whole."""
    experiment = client.get_experiment_by_name("churn")
    assert experiment.tags["team"] == "edge"
    runs = runs_of(client, experiment.experiment_id)
    assert set(runs) == {"first", "child", "deleted"}
    first = runs["first"]
    assert first.info.status == "FINISHED" and first.info.end_time > first.info.start_time > 0
    assert first.data.params == {"depth": "3", "note": "größer"} and first.data.tags["k"] == "v"
    assert runs["deleted"].info.lifecycle_stage == "deleted"
    history = client.get_metric_history(first.info.run_id, "loss")
    assert [(point.step, point.value) for point in sorted(history, key=lambda p: p.step)] == [(i, 1 / (i + 1)) for i in range(1500)]
    assert math.isnan(client.get_metric_history(first.info.run_id, "worst")[0].value)
    assert client.get_metric_history(first.info.run_id, "group/auc")[0].value == 0.75
    assert [d.dataset.name for d in first.inputs.dataset_inputs] == ["rows"]
    local = client.download_artifacts(first.info.run_id, "notes/a b.txt", str(tmp_path))
    assert Path(local).read_text() == "hello"
    assert [str(v.version) for v in client.search_model_versions("name = 'churn'")] == ["3", "1"]
    version = client.get_model_version_by_alias("churn", "champion")
    assert str(version.version) == "3" and version.tags["checked"] == "yes" and version.run_id == first.info.run_id
    assert client.get_registered_model("churn").description == "who leaves"
    mlflow.set_tracking_uri(client.tracking_uri)
    mlflow.set_registry_uri(client.tracking_uri)
    assert isinstance(mlflow.sklearn.load_model("models:/churn@champion"), LogisticRegression)
    (model,) = mlflow.search_logged_models([experiment.experiment_id], output_format="list")
    assert model.name == "model" and first.outputs.model_outputs[0].model_id == model.model_id
    assert len(mlflow.search_traces([experiment.experiment_id], return_type="list")) == traces
    return {name: run.info.run_id for name, run in runs.items()}


@pytest.mark.parametrize("server", ["sqlite", "postgres"], indirect=True)
@pytest.mark.parametrize("source", ["server", "sqlite", "mlruns"], indirect=True)
def test_moving_in(server, source, beira, tmp_path):
    kept = ["--db", server.db, "--artifacts", server.artifacts]
    said = beira("import", "mlflow", "--from", *source, *kept)
    traces = int("http" in source[0])
    assert re.match(rf"imported 2 experiments, 3 runs with 1502 metric points, 1 logged models, 2 model versions, {traces} traces", said), said
    client = mlflow.MlflowClient(server.url, server.url)
    ids = check(client, tmp_path, traces)
    again = beira("import", "mlflow", "--from", *source, *kept)
    assert "2 experiments, 0 runs with 0 metric points" in again and "3 runs were there already" in again
    assert check(client, tmp_path, traces) == ids
    new = client.create_experiment("after")
    assert new not in [e.experiment_id for e in client.search_experiments() if e.name != "after"]


def test_ids_are_kept_and_an_interruption_is_mended(beira, tmp_path):
    folder = tmp_path / "mlflow"
    folder.mkdir()
    theirs = MLflow(folder)
    try:
        theirs.wait()
        fill(theirs.url, folder)
        there = mlflow.MlflowClient(theirs.url, theirs.url)
        expected = check(there, tmp_path, 1)
        server = Server(tmp_path / "beira").start()
        kept = ["--db", server.db, "--artifacts", server.artifacts]
        for seconds in [0.3, 0.6, 0.9]:
            process = subprocess.Popen([BEIRA, "import", "mlflow", "--from", theirs.url, *map(str, kept)])
            try:
                process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        beira("import", "mlflow", "--from", theirs.url, *kept)
        assert check(mlflow.MlflowClient(server.url, server.url), tmp_path, 1) == expected
        server.stop()
    finally:
        theirs.stop()


def test_moving_out(server, beira, tmp_path):
    fill(server.url, tmp_path)
    folder = tmp_path / "mlflow"
    folder.mkdir()
    theirs = MLflow(folder)
    try:
        theirs.wait()
        said = beira("export", "mlflow", "--from", server.url, "--to", theirs.url)
        assert said.startswith("exported 2 experiments, 3 runs with 1502 metric points, 1 logged models, 2 model versions"), said
        there = mlflow.MlflowClient(theirs.url, theirs.url)
        ids = check(there, tmp_path)
        again = beira("export", "mlflow", "--from", server.url, "--to", theirs.url)
        assert "0 runs with 0 metric points, 0 logged models, 0 model versions" in again and "3 runs were there already" in again
        assert check(there, tmp_path) == ids
    finally:
        theirs.stop()


def test_what_is_no_mlflow_is_told(beira, tmp_path):
    kept = ["--db", tmp_path / "beira.db", "--artifacts", tmp_path / "artifacts"]
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.db").write_bytes(b"")
    for source, expected in [
        (tmp_path / "empty", "holds no experiment"),
        (tmp_path / "nowhere", "is neither an address, nor sqlite:///FILE, nor a folder mlruns"),
        (f"sqlite:///{tmp_path}/other.db", "is no database of MLflow's"),
        (f"sqlite:///{tmp_path}/nowhere.db", "cannot open"),
        ("http://127.0.0.1:1", "client error (Connect)"),
    ]:
        assert expected in beira("import", "mlflow", "--from", source, *kept, fails=True), source
