"""Models as MLflow's client logs and loads them: flavours, autologging, evaluation."""

import lightgbm
import mlflow
import numpy
import pandas
import pytest
import xgboost
from mlflow.models import infer_signature
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

pytestmark = pytest.mark.parametrize("server", ["sqlite", "postgres"], indirect=True)

FRAME, KIND = load_iris(return_X_y=True, as_frame=True)
BINARY = (KIND == 2).astype(int)


@pytest.fixture(autouse=True)
def quiet(client, monkeypatch):
    """Nobody is asked which packages a model needs: the answer takes a process that imports everything."""
    monkeypatch.setenv("MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT", "1")
    yield
    for flavour in mlflow.xgboost, mlflow.lightgbm:
        flavour.autolog(disable=True)


def test_a_scikit_learn_model(client):
    mlflow.set_experiment("sk")
    model = LogisticRegression(max_iter=500).fit(FRAME, KIND)
    signature = infer_signature(FRAME, model.predict(FRAME))
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(
            model,
            name="classifier",
            signature=signature,
            input_example=FRAME[:2],
            registered_model_name="flowers",
            pip_requirements=["scikit-learn"],
            serialization_format="cloudpickle",
        )
    for uri in [info.model_uri, "models:/flowers/1", f"runs:/{run.info.run_id}/classifier"]:
        assert (mlflow.sklearn.load_model(uri).predict(FRAME) == model.predict(FRAME)).all(), uri
    loaded = mlflow.pyfunc.load_model("models:/flowers/1")
    assert (loaded.predict(FRAME) == model.predict(FRAME)).all() and loaded.metadata.signature == signature
    assert mlflow.models.Model.load(info.model_uri).load_input_example(info.model_uri).equals(FRAME[:2])
    version = client.get_model_version("flowers", "1")
    assert (version.run_id, version.source) == (run.info.run_id, f"models:/{info.model_id}")


class Doubler(mlflow.pyfunc.PythonModel):
    """Any Python is a model."""

    def load_context(self, context):
        self.factor = int(open(context.artifacts["factor"]).read())

    def predict(self, context, model_input, params=None):
        return model_input * self.factor


def test_a_python_model_with_files(client, tmp_path):
    mlflow.set_experiment("py")
    (tmp_path / "factor.txt").write_text("2")
    artifacts = {"factor": str(tmp_path / "factor.txt")}
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(
            name="doubler", python_model=Doubler(), artifacts=artifacts, pip_requirements=["numpy"], params={"by": 2}
        )
    loaded = mlflow.pyfunc.load_model(info.model_uri)
    assert loaded.predict(pandas.DataFrame({"a": [1, 2]}))["a"].tolist() == [2, 4]
    assert mlflow.get_logged_model(info.model_id).params == {"by": "2"}
    client.create_registered_model("doubler")
    client.create_model_version("doubler", info.model_uri, model_id=info.model_id)
    client.set_registered_model_alias("doubler", "best", "1")
    assert mlflow.pyfunc.load_model("models:/doubler@best").predict(numpy.array([3])).tolist() == [6]


def test_autologging_of_xgboost(client):
    mlflow.set_experiment("xgb")
    mlflow.xgboost.autolog(log_models=True, log_input_examples=False)
    data = xgboost.DMatrix(FRAME, label=BINARY)
    with mlflow.start_run() as run:
        parameters = {"objective": "binary:logistic", "max_depth": 2, "eval_metric": "logloss"}
        booster = xgboost.train(parameters, data, num_boost_round=5, evals=[(data, "train")], verbose_eval=False)
    back = client.get_run(run.info.run_id)
    assert back.data.params["max_depth"] == "2" and back.data.params["num_boost_round"] == "5"
    history = client.get_metric_history(run.info.run_id, "train-logloss")
    assert [point.step for point in history] == list(range(5)) and history[4].value < history[0].value
    files = [file.path for file in client.list_artifacts(run.info.run_id)]
    assert "feature_importance_weight.json" in files and "feature_importance_weight.png" in files
    (model,) = back.outputs.model_outputs
    again = mlflow.xgboost.load_model(f"models:/{model.model_id}")
    numpy.testing.assert_array_equal(again.predict(data), booster.predict(data))


def test_autologging_of_lightgbm(client):
    mlflow.set_experiment("lgb")
    mlflow.lightgbm.autolog(log_models=True, log_input_examples=False)
    data = lightgbm.Dataset(FRAME.rename(columns=lambda name: name.replace(" ", "_")), label=BINARY)
    with mlflow.start_run() as run:
        parameters = {"objective": "binary", "num_leaves": 4, "verbose": -1, "num_threads": 1}
        booster = lightgbm.train(parameters, data, 5, valid_sets=[data], valid_names=["train"])
    back = client.get_run(run.info.run_id)
    assert back.data.params["num_leaves"] == "4"
    assert len(client.get_metric_history(run.info.run_id, "train-binary_logloss")) == 5
    (model,) = back.outputs.model_outputs
    again = mlflow.lightgbm.load_model(f"models:/{model.model_id}")
    numpy.testing.assert_array_equal(again.predict(FRAME), booster.predict(FRAME))


def test_evaluation(client):
    mlflow.set_experiment("judged")
    model = LogisticRegression(max_iter=500).fit(FRAME, BINARY)
    rows = FRAME.assign(kind=BINARY)
    data = mlflow.data.from_pandas(rows, targets="kind", name="flowers")
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(
            model, name="model", pip_requirements=["scikit-learn"], serialization_format="cloudpickle"
        )
        judged = mlflow.models.evaluate(
            info.model_uri, data, model_type="classifier", evaluator_config={"log_explainer": False}
        )
    assert judged.metrics["accuracy_score"] > 0.9
    back = client.get_run(run.info.run_id)
    assert back.data.metrics["accuracy_score"] == judged.metrics["accuracy_score"]
    assert [given.dataset.name for given in back.inputs.dataset_inputs] == ["flowers"]
    of_model = {metric.key: metric for metric in mlflow.get_logged_model(info.model_id).metrics}
    assert of_model["accuracy_score"].dataset_name == "flowers"
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"confusion_matrix.png", "roc_curve_plot.png"} <= files
    with mlflow.start_run():
        guesses = pandas.DataFrame({"truth": [1.0, 2.0, 3.0], "guess": [1.0, 2.0, 5.0]})
        judged = mlflow.evaluate(data=guesses, predictions="guess", targets="truth", model_type="regressor")
    assert judged.metrics["max_error"] == 2.0
