"""What MLflow's client logs to be looked at: images, tables, figures, texts."""

import json

import matplotlib
import mlflow
import numpy
import pandas
import PIL.Image
import pytest

matplotlib.use("agg")
from matplotlib import pyplot  # noqa: E402 (the backend comes first)

pytestmark = pytest.mark.parametrize("server", ["sqlite", "postgres"], indirect=True)


def paths(client, run, folder=None):
    """All files of a run."""
    files = []
    for found in client.list_artifacts(run.info.run_id, folder):
        files += paths(client, run, found.path) if found.is_dir else [found.path]
    return sorted(files)


def test_images(client, tmp_path):
    mlflow.set_experiment("seen")
    pixels = numpy.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=numpy.uint8)
    with mlflow.start_run() as run:
        mlflow.log_image(pixels, "one/array.png")
        mlflow.log_image(PIL.Image.fromarray(pixels), "one/pil.png")
        mlflow.log_image(mlflow.Image(pixels), "one/own.png")
        for step in range(3):
            mlflow.log_image(pixels, key="samples of 2.5-d/a b", step=step, timestamp=step)
        mlflow.log_image(numpy.zeros((4, 4), dtype=bool), "mask.png")
    mlflow.MlflowClient().set_terminated(run.info.run_id)
    found = paths(client, run)
    assert {"mask.png", "one/array.png", "one/own.png", "one/pil.png"} <= set(found)
    steps = [path for path in found if path.startswith("images/") and path.endswith(".png")]
    assert len(steps) == 3, found
    for path in ["one/array.png", "one/pil.png", "one/own.png", steps[0]]:
        local = client.download_artifacts(run.info.run_id, path, str(tmp_path))
        assert (numpy.asarray(PIL.Image.open(local)) == pixels).all(), path
    back = mlflow.artifacts.load_image(f"{run.info.artifact_uri}/one/array.png")
    assert back.size == (30, 20)


def test_tables(client):
    mlflow.set_experiment("told")
    with mlflow.start_run() as first:
        mlflow.log_table({"question": ["a", "b"], "score": [0.5, None]}, "answers.json")
        mlflow.log_table(pandas.DataFrame({"question": ["c"], "score": [1.5]}), "answers.json")
    with mlflow.start_run() as second:
        mlflow.log_table(pandas.DataFrame({"question": ["d"], "score": [2.5]}), "answers.json")
        mlflow.log_table({"x": [1]}, "deep/x.parquet")
    table = mlflow.load_table("answers.json", run_ids=[first.info.run_id])
    assert list(table["question"]) == ["a", "b", "c"] and list(table["score"].fillna(-1)) == [0.5, -1, 1.5]
    both = mlflow.load_table("answers.json", extra_columns=["run_id"])
    assert dict(both.groupby("run_id").size()) == {first.info.run_id: 3, second.info.run_id: 1}
    assert list(mlflow.load_table("deep/x.parquet", run_ids=[second.info.run_id])["x"]) == [1]
    tags = json.loads(client.get_run(second.info.run_id).data.tags["mlflow.loggedArtifacts"])
    assert {"path": "answers.json", "type": "table"} in tags


def test_figures_and_texts(client):
    mlflow.set_experiment("drawn")
    figure, axes = pyplot.subplots(figsize=(2, 2))
    axes.plot([1, 3, 2])
    with mlflow.start_run() as run:
        mlflow.log_figure(figure, "plots/line.png")
        mlflow.log_figure(figure, "plots/line.svg")
        mlflow.log_text("# Übersicht\n", "notes/read me.md")
        mlflow.log_dict({"a": [1, None]}, "config.json")
    pyplot.close(figure)
    assert paths(client, run) == ["config.json", "notes/read me.md", "plots/line.png", "plots/line.svg"]
    assert mlflow.artifacts.load_image(f"{run.info.artifact_uri}/plots/line.png").size == (200, 200)
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/plots/line.svg").startswith("<?xml")
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/notes/read me.md") == "# Übersicht\n"
    assert mlflow.artifacts.load_dict(f"{run.info.artifact_uri}/config.json") == {"a": [1, None]}
