"""The unmodified MLflow client against `beira serve`: tracking, artifacts, registry, and a model that then answers."""

import math
import time

import mlflow
import numpy
import onnxruntime
import pytest
import requests
from mlflow.exceptions import MlflowException
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

pytestmark = pytest.mark.parametrize("server", ["sqlite", "postgres"], indirect=True)


def test_runs_are_logged_found_and_read_back(client, tmp_path):
    experiment = mlflow.set_experiment("wine")
    assert experiment.artifact_location == "mlflow-artifacts:/1"
    (tmp_path / "a b+1%.txt").write_text("hello")
    with mlflow.start_run(run_name="first", tags={"team": "edge"}) as run:
        mlflow.log_params({"depth": 3, "rate": 0.1})
        mlflow.log_param("depth", 3)  # the same again is nothing
        for step in range(5):
            mlflow.log_metrics({"loss": 1 / (step + 1), "auc": 0.5 + step / 10}, step=step)
        mlflow.log_metric("worst", float("nan"))
        mlflow.log_metric("endless", float("inf"))
        mlflow.log_artifact(tmp_path / "a b+1%.txt", "notes/deep")
        mlflow.log_dict({"a": 1}, "config.json")
        with pytest.raises(MlflowException, match="Changing param values is not allowed"):
            mlflow.log_param("depth", 4)
    with mlflow.start_run(run_name="second"):
        mlflow.log_metric("auc", 0.7)

    back = client.get_run(run.info.run_id)
    assert back.info.status == "FINISHED" and back.info.run_name == "first"
    assert back.data.params == {"depth": "3", "rate": "0.1"}
    assert back.data.metrics["loss"] == 0.2 and math.isnan(back.data.metrics["worst"])
    assert back.data.metrics["endless"] == 1.7976931348623157e308
    assert [m.value for m in client.get_metric_history(run.info.run_id, "auc")] == [0.5, 0.6, 0.7, 0.8, 0.9]

    found = mlflow.search_runs(filter_string="metrics.auc > 0.8 AND params.depth = '3' AND tags.team LIKE 'e%'")
    assert list(found["run_id"]) == [run.info.run_id]
    found = mlflow.search_runs(order_by=["metrics.auc ASC"])
    assert list(found["tags.mlflow.runName"]) == ["second", "first"]

    assert [f.path for f in client.list_artifacts(run.info.run_id)] == ["config.json", "notes"]
    assert [f.path for f in client.list_artifacts(run.info.run_id, "notes/deep")] == ["notes/deep/a b+1%.txt"]
    local = client.download_artifacts(run.info.run_id, "notes/deep/a b+1%.txt", str(tmp_path))
    assert open(local).read() == "hello"

    client.set_tag(run.info.run_id, "team", "core")
    client.delete_tag(run.info.run_id, "team")
    client.update_run(run.info.run_id, name="renamed")
    assert client.get_run(run.info.run_id).data.tags["mlflow.runName"] == "renamed"
    client.delete_run(run.info.run_id)
    assert len(mlflow.search_runs()) == 1
    with pytest.raises(MlflowException, match="must be in the 'active' state. Current state is deleted"):
        client.log_metric(run.info.run_id, "auc", 1.0)
    client.restore_run(run.info.run_id)
    with pytest.raises(MlflowException, match="Run with id=0{32} not found"):
        client.get_run("0" * 32)


def test_experiments_live_and_die(client):
    one = client.create_experiment("one", tags={"a": "b"})
    client.create_experiment("two")
    with pytest.raises(MlflowException, match=r"Experiment\(name=one\) already exists"):
        client.create_experiment("one")
    assert [e.name for e in client.search_experiments(order_by=["name ASC"])] == ["Default", "one", "two"]
    assert [e.name for e in client.search_experiments(filter_string="tags.a = 'b'")] == ["one"]
    client.rename_experiment(one, "uno")
    client.set_experiment_tag(one, "c", "d")
    assert client.get_experiment(one).tags == {"a": "b", "c": "d"}
    run = client.create_run(one)
    client.delete_experiment(one)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    assert client.get_experiment_by_name("uno").lifecycle_stage == "deleted"
    client.restore_experiment(one)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "active"
    assert client.get_experiment_by_name("none") is None


def test_autolog(client):
    mlflow.set_experiment("auto")
    mlflow.sklearn.autolog(log_models=False)
    x, y = load_iris(return_X_y=True)
    with mlflow.start_run() as run:
        LogisticRegression(max_iter=300).fit(x, y)
    data = client.get_run(run.info.run_id).data
    assert data.params["max_iter"] == "300" and data.metrics["training_accuracy_score"] > 0.9
    inputs = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert len(inputs) == 1


def test_a_logged_onnx_model_is_registered_loaded_and_served(client, server):
    x, y = load_iris(return_X_y=True)
    x = x.astype(numpy.float32)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(x, y)
    model = to_onnx(pipeline, x[:1], options={"zipmap": False}, target_opset=17)
    mlflow.set_experiment("iris")
    with mlflow.start_run() as run:
        info = mlflow.onnx.log_model(model, name="model", registered_model_name="iris")
        mlflow.log_metric("accuracy", 0.97, model_id=info.model_id)
    assert client.get_run(run.info.run_id).outputs.model_outputs[0].model_id == info.model_id
    logged = mlflow.get_logged_model(info.model_id)
    assert logged.status.value == "READY" and [m.value for m in logged.metrics] == [0.97]
    assert [m.model_id for m in mlflow.search_logged_models(filter_string="metrics.accuracy > 0.9", output_format="list")] == [
        info.model_id
    ]

    client.set_registered_model_alias("iris", "champion", "1")
    version = client.get_model_version_by_alias("iris", "champion")
    assert (str(version.version), version.status, version.run_id) == ("1", "READY", run.info.run_id)
    assert client.get_registered_model("iris").aliases == {"champion": "1"}
    assert [m.name for m in client.search_registered_models("name LIKE 'ir%'")] == ["iris"]
    assert [str(v.version) for v in client.search_model_versions("name = 'iris'")] == ["1"]
    loaded = mlflow.onnx.load_model("models:/iris@champion")
    expected = onnxruntime.InferenceSession(loaded.SerializeToString()).run(None, {"X": x[:5]})

    answer = None
    for _ in range(200):
        answer = requests.get(f"{server.url}/api/beira/models/iris", timeout=5).json()["versions"][0]
        if answer.get("module") or answer["error"] != "compiling":
            break
        time.sleep(0.1)
    assert answer.get("module"), answer["error"]
    module = requests.get(f"{server.url}/modules/iris/@champion", timeout=5)
    assert module.content[:4] == b"\0asm" and module.headers["etag"] == f'"{answer["module"]["sha256"]}"'
    tensor = {"name": "X", "shape": [5, 4], "datatype": "FP32", "data": x[:5].ravel().tolist()}
    infer = requests.post(f"{server.url}/v2/models/iris/infer", json={"inputs": [tensor]}, timeout=5).json()
    outputs = {output["name"]: output for output in infer["outputs"]}
    assert outputs["label"]["data"] == expected[0].tolist()
    numpy.testing.assert_allclose(outputs["probabilities"]["data"], expected[1].ravel(), atol=1e-5)


def test_the_registry(client):
    client.create_registered_model("m", tags={"a": "b"}, description="first")
    with pytest.raises(MlflowException, match=r"Registered Model \(name=m\) already exists"):
        client.create_registered_model("m")
    run = client.create_run("0")
    for _ in range(3):
        client.create_model_version("m", f"runs:/{run.info.run_id}/model", run.info.run_id)
    client.set_model_version_tag("m", "1", "k", "v")
    client.update_model_version("m", "1", "the first")
    assert client.get_model_version("m", "1").description == "the first"
    client.transition_model_version_stage("m", "1", "Production")
    assert [v.current_stage for v in client.get_latest_versions("m", ["Production"])] == ["Production"]
    client.set_registered_model_tag("m", "team", "edge")
    client.delete_registered_model_tag("m", "a")
    assert client.get_registered_model("m").tags == {"team": "edge"}
    client.set_registered_model_alias("m", "worst", "2")
    client.delete_registered_model_alias("m", "worst")
    client.delete_registered_model_alias("m", "worst")  # nothing to do
    client.set_registered_model_alias("m", "best", "3")
    client.delete_model_version("m", "3")
    assert client.get_registered_model("m").aliases == {}
    assert str(client.create_model_version("m", f"runs:/{run.info.run_id}/model").version) == "4"
    client.rename_registered_model("m", "n")
    assert len(client.search_model_versions("name = 'n'")) == 3
    with pytest.raises(MlflowException, match="Registered Model with name=m not found"):
        client.get_registered_model("m")
    with pytest.raises(MlflowException, match="Registered model alias none not found"):
        client.get_model_version_by_alias("n", "none")
    for source in ["file:///etc", "/etc", f"runs:/{run.info.run_id}/../../x", "mlflow-artifacts:/a/%2e%2e/b"]:
        with pytest.raises(MlflowException):
            client.create_model_version("n", source)
    client.delete_registered_model("n")
    assert client.search_registered_models() == []
