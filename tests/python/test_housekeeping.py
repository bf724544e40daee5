"""`beira gc`, `beira backup` and `beira restore` beside a running server, on both stores."""

import re
import time
from pathlib import Path

import mlflow
import pytest
import requests
from mlflow.exceptions import MlflowException

from conftest import Server
from trainers import Trainers, create_run

pytestmark = pytest.mark.parametrize("server", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def kept(server):
    return ["--db", server.db, "--artifacts", server.artifacts]


def log(client, experiment, tmp_path):
    """A run with everything in it; its id and its logged model's."""
    (tmp_path / "note.txt").write_text("hello")
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_metrics({"loss": 0.5, "auc": 0.9}, step=3)
        mlflow.log_params({"depth": 3})
        mlflow.log_artifact(str(tmp_path / "note.txt"))
        with mlflow.start_span("traced"):
            pass
        model = mlflow.create_external_model("m", source_run_id=run.info.run_id)
    mlflow.flush_trace_async_logging()
    return run.info.run_id, model.model_id


def test_what_is_deleted_goes_for_good(client, server, beira, kept, tmp_path):
    one, two = client.create_experiment("one"), client.create_experiment("two")
    mlflow.set_experiment(experiment_id=one)
    gone, _ = log(client, one, tmp_path)
    mlflow.set_experiment(experiment_id=two)
    deleted, _ = log(client, two, tmp_path)
    stays, _ = log(client, two, tmp_path)
    registered, _ = log(client, two, tmp_path)
    client.create_registered_model("m")
    client.create_model_version("m", f"runs:/{registered}/model", registered)
    client.delete_experiment(one)
    client.delete_run(deleted)
    client.delete_run(registered)
    with pytest.raises(MlflowException, match=r"Experiment\(name=one\) already exists. It is deleted, with the id \d+: restore it"):
        client.create_experiment("one")

    folders = [Path(server.artifacts) / "files" / experiment / run / "artifacts" for experiment, run in [(one, gone), (two, deleted)]]
    assert all((folder / "note.txt").exists() for folder in folders)
    expected = r"1 experiments, 2 runs, 1 logged models, 1 traces, \d+ files; 1 runs and logged models stay, "
    assert re.match(f"would delete {expected}", beira("gc", *kept, "--dry-run"))
    assert beira("gc", *kept, "--older-than", "1d").startswith("deleted 0 experiments, 0 runs, 0 logged models, 0 traces, 0 files")
    assert client.get_run(deleted).info.lifecycle_stage == "deleted"
    assert beira("gc", *kept, "--experiment-ids", "4711").startswith("deleted 0 experiments, 0 runs")
    assert re.match(f"deleted {expected}", beira("gc", *kept))
    assert not any(folder.exists() for folder in folders)
    for run in [gone, deleted]:
        with pytest.raises(MlflowException, match="not found"):
            client.get_run(run)
    assert client.get_run(stays).data.metrics == {"loss": 0.5, "auc": 0.9}
    assert client.get_run(registered).data.params == {"depth": "3"}, "a version has its files there"
    assert client.list_artifacts(stays)[0].path == "note.txt"
    again = client.create_experiment("one")
    assert again != one and mlflow.search_runs([again]).empty
    assert beira("gc", *kept).startswith("deleted 0 experiments, 0 runs")


def test_a_run_of_many_points_goes_while_others_write(client, server, beira, kept):
    run = client.create_run("0").info.run_id
    for batch in range(25):
        points = [{"key": "loss", "value": i, "timestamp": 1, "step": batch * 1000 + i} for i in range(1000)]
        body = {"run_id": run, "metrics": points}
        requests.post(f"{server.url}/api/2.0/mlflow/runs/log-batch", json=body, timeout=30).raise_for_status()
    client.delete_run(run)
    trainers = Trainers(server.url, create_run(server.url), 4)
    try:
        assert beira("gc", *kept).startswith("deleted 0 experiments, 1 runs")
    finally:
        trainers.stop()
    assert not trainers.refusals
    trainers.check(server.url)


def test_a_backup_is_made_under_load_and_restored(client, server, beira, kept, tmp_path, request):
    run, model = log(client, "0", tmp_path)
    trainers = Trainers(server.url, create_run(server.url), 4)
    backup = tmp_path / "backup"
    try:
        time.sleep(0.5)
        before = trainers.count()
        files = int(re.search(r"the database and (\d+) files", beira("backup", *kept, "--out", backup)).group(1))
        assert trainers.count() > before, "nobody waited"
    finally:
        trainers.stop()
    assert "is not empty" in beira("backup", *kept, "--out", backup, fails=True)

    shared = server.db != Path(server.folder) / "beira.db"
    database = request.getfixturevalue("postgres").database() if shared else tmp_path / "new/beira.db"
    new = ["--db", database, "--artifacts", tmp_path / "new/artifacts"]
    said = beira("restore", backup, *new)
    assert said == f"restored 1 experiments, 2 runs, 0 model versions, {files} files; every byte is as it was backed up\n"
    (tmp_path / "new").mkdir(exist_ok=True)
    restored = Server(tmp_path / "new", database).start()
    there = mlflow.MlflowClient(restored.url, restored.url)
    assert there.get_run(run).data.to_dictionary() == client.get_run(run).data.to_dictionary()
    assert Path(there.download_artifacts(run, "note.txt", str(tmp_path))).read_text() == "hello"
    assert there.get_logged_model(model).name == "m"
    restored.stop()
    assert "restored into" in beira("restore", backup, *new, fails=True)

    (backup / "artifacts/files/0" / run / "artifacts/note.txt").write_text("hullo")
    database = request.getfixturevalue("postgres").database() if shared else tmp_path / "newer/beira.db"
    newer = ["--db", database, "--artifacts", tmp_path / "newer/artifacts"]
    assert f"files/0/{run}/artifacts/note.txt is not as it was backed up" in beira("restore", backup, *newer, fails=True)
    (backup / "backup.json").unlink()
    assert "is no whole backup" in beira("restore", backup, *newer, fails=True)
