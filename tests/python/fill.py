"""Logs one of everything with MLflow's client to wherever MLFLOW_TRACKING_URI says. A program of test_moving.py."""

from pathlib import Path

import mlflow
import numpy
from sklearn.linear_model import LogisticRegression

client = mlflow.MlflowClient()
experiment = client.create_experiment("churn", tags={"team": "edge"})
mlflow.set_experiment("churn")
rows = mlflow.data.from_numpy(numpy.arange(6.0).reshape(3, 2), name="rows")
with mlflow.start_run(run_name="first") as run:
    mlflow.log_params({"depth": 3, "note": "größer"})
    mlflow.set_tag("k", "v")
    for start in range(0, 1500, 500):
        steps = range(start, start + 500)
        metrics = [mlflow.entities.Metric("loss", 1 / (step + 1), 1_700_000_000_000 + step, step) for step in steps]
        client.log_batch(run.info.run_id, metrics)
    mlflow.log_metric("worst", float("nan"))
    mlflow.log_metric("group/auc", 0.75)
    mlflow.log_input(rows, context="training")
    Path("a b.txt").write_text("hello")
    mlflow.log_artifact("a b.txt", "notes")
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    info = mlflow.sklearn.log_model(model, name="model", pip_requirements=["scikit-learn"])
    with mlflow.start_run(run_name="child", nested=True):
        pass
    if mlflow.get_tracking_uri().startswith("http"):
        with mlflow.start_span("asked"):
            pass
        mlflow.flush_trace_async_logging()
with mlflow.start_run(run_name="deleted") as gone:
    pass
client.delete_run(gone.info.run_id)
client.create_registered_model("churn", description="who leaves")
for number in (1, 2, 3):
    client.create_model_version("churn", info.model_uri, run.info.run_id, model_id=info.model_id)
client.delete_model_version("churn", "2")
client.set_model_version_tag("churn", "3", "checked", "yes")
client.set_registered_model_alias("churn", "champion", "3")
