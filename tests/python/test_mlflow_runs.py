"""Runs as MLflow's client logs and finds them: nested, watched, from many threads, by every operator of a search."""

import time

import mlflow
import pytest
from mlflow.exceptions import MlflowException

pytestmark = pytest.mark.parametrize("server", ["sqlite", "postgres"], indirect=True)


def test_nested_runs(client):
    mlflow.set_experiment("sweep")
    with mlflow.start_run(run_name="sweep") as parent:
        for depth in 1, 2:
            with mlflow.start_run(run_name=f"depth {depth}", nested=True) as child:
                mlflow.log_param("depth", depth)
                with mlflow.start_run(run_name=f"fold of {depth}", nested=True):
                    mlflow.log_metric("loss", 1 / depth)
        mlflow.log_metric("best", 0.5)
    of_parent = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    children = mlflow.search_runs(filter_string=of_parent, order_by=["params.depth DESC"], output_format="list")
    assert [run.info.run_name for run in children] == ["depth 2", "depth 1"]
    assert mlflow.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id
    folds = [mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{run.info.run_id}'") for run in children]
    assert [list(fold["metrics.loss"]) for fold in folds] == [[0.5], [1.0]]


def test_search_runs_by_every_operator(client):
    mlflow.set_experiment("many")
    runs = {}
    for i, name in enumerate(["alpha", "Beta", "gamma"]):
        with mlflow.start_run(run_name=name) as run:
            runs[name] = run.info.run_id
            mlflow.log_metric("m", i)
            mlflow.log_metric("a-b c/d", -i)
            mlflow.log_param("p", f"v{i}")
            if name != "gamma":
                mlflow.set_tags({"team": name, "with space": "x"})
    client.set_terminated(runs["Beta"], "FAILED")

    def check(filter_string, *expected):
        found = mlflow.search_runs(filter_string=filter_string, output_format="list")
        assert sorted(run.info.run_name for run in found) == sorted(expected), filter_string

    everybody = ("alpha", "Beta", "gamma")
    check("", *everybody)
    check("metrics.m = 1", "Beta")
    check("metric.m != 1", "alpha", "gamma")
    check("metrics.m > 0.5", "Beta", "gamma")
    check("metrics.m >= 1", "Beta", "gamma")
    check("metrics.m < 1e0", "alpha")
    check("metrics.m <= 1", "alpha", "Beta")
    check("metrics.`a-b c/d` < -1", "gamma")
    check('metrics."a-b c/d" = 0', "alpha")
    check("params.p = 'v1'", "Beta")
    check("parameters.p != 'v1'", "alpha", "gamma")
    check("param.p LIKE 'v%'", *everybody)
    check("params.p ILIKE 'V2'", "gamma")
    check("params.none IS NULL and params.p IS NOT NULL", *everybody)
    check("tags.team = \"alpha\"", "alpha")
    check("tags.team != 'alpha'", "Beta")
    check("tag.team LIKE 'B_ta'", "Beta")
    check("tags.team LIKE 'b%'")
    check("tags.team ilike 'b%'", "Beta")
    check("tags.`with space` = 'x'", "alpha", "Beta")
    check("tags.team IS NULL", "gamma")
    check("tags.team IS NOT NULL", "alpha", "Beta")
    check("attributes.status = 'FAILED'", "Beta")
    check("status != 'FAILED'", "alpha", "gamma")
    check("run_name LIKE '%a' AND attributes.run_name ILIKE '%M%'", "gamma")
    check("`run name` = 'alpha'", "alpha")
    ids = f"('{runs['alpha']}', '{runs['gamma']}')"
    check(f"attributes.run_id IN {ids}", "alpha", "gamma")
    check(f"run_id NOT IN {ids}", "Beta")
    check("start_time > 0 and end_time < 9e15 and Created >= 1", *everybody)
    check("user_id LIKE '%' AND artifact_uri LIKE 'mlflow-artifacts:%'", *everybody)
    check("(metrics.m = 0 OR metrics.m = 2) AND NOT params.p = 'v2'", "alpha")
    for wrong in ["metrics.m = 'a'", "params.p > 1", "nothing.m = 1", "run_name IN ('a')", "metrics.m =", "metrics.m LIKE 'a'"]:
        with pytest.raises(MlflowException, match="(?i)invalid"):
            mlflow.search_runs(filter_string=wrong)

    def order(by, *expected):
        found = mlflow.search_runs(order_by=[by], output_format="list")
        assert [run.info.run_name for run in found] == list(expected), by

    order("metrics.m DESC", "gamma", "Beta", "alpha")
    order("params.p", "alpha", "Beta", "gamma")
    order("tags.team ASC", "Beta", "alpha", "gamma")
    order("attributes.run_name DESC", "gamma", "alpha", "Beta")


def test_datasets_are_searched_by(client):
    import pandas

    mlflow.set_experiment("data")
    frame = pandas.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    data = mlflow.data.from_pandas(frame, source="rows.csv", name="rows", targets="b")
    with mlflow.start_run(run_name="with") as run:
        mlflow.log_input(data, context="training", tags={"part": "first"})
    with mlflow.start_run(run_name="without"):
        pass
    (kept,) = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert (kept.dataset.name, kept.dataset.digest) == ("rows", data.digest)
    assert {tag.key: tag.value for tag in kept.tags} == {"mlflow.data.context": "training", "part": "first"}
    assert mlflow.data.get_source(kept.dataset).uri == "rows.csv"
    for filter_string, found in [
        ("datasets.name = 'rows'", ["with"]),
        ("dataset.name LIKE 'row_'", ["with"]),
        (f"datasets.digest = '{data.digest}' AND dataset.context ILIKE 'TRAIN%'", ["with"]),
        ("datasets.context IN ('training', 'test')", ["with"]),
        ("datasets.name NOT IN ('rows')", []),
    ]:
        assert list(mlflow.search_runs(filter_string=filter_string).get("tags.mlflow.runName", [])) == found, filter_string


def test_asynchronous_logging(client):
    mlflow.set_experiment("later")
    with mlflow.start_run() as run:
        later = [mlflow.log_metric("loss", 1 / (step + 1), step=step, synchronous=False) for step in range(300)]
        later.append(mlflow.log_params({f"p{i}": i for i in range(100)}, synchronous=False))
        later.append(mlflow.set_tag("done", "yes", synchronous=False))
        for operation in later:
            operation.wait()
        mlflow.flush_async_logging()
    back = client.get_run(run.info.run_id).data
    assert (len(back.params), back.tags["done"], back.metrics["loss"]) == (100, "yes", 1 / 300)
    assert [point.step for point in client.get_metric_history(run.info.run_id, "loss")] == list(range(300))


def test_system_metrics(client):
    mlflow.set_experiment("watched")
    mlflow.set_system_metrics_sampling_interval(0.2)
    mlflow.set_system_metrics_samples_before_logging(1)
    try:
        with mlflow.start_run(log_system_metrics=True) as run:
            time.sleep(1)
    finally:
        mlflow.set_system_metrics_sampling_interval(None)
        mlflow.set_system_metrics_samples_before_logging(None)
    metrics = client.get_run(run.info.run_id).data.metrics
    assert {"system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"} <= set(metrics)
    assert len(client.get_metric_history(run.info.run_id, "system/system_memory_usage_megabytes")) >= 2


def test_a_history_longer_than_a_page(client):
    run = client.create_run("0")
    points = [mlflow.entities.Metric("loss", float(i), i, i) for i in range(6000)]
    for at in range(0, len(points), 1000):
        client.log_batch(run.info.run_id, metrics=points[at : at + 1000])
    assert [point.value for point in client.get_metric_history(run.info.run_id, "loss")] == [float(i) for i in range(6000)]
