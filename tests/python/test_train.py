"""`beira init` and `beira train` on a CSV of one's own, and what is said of a bad one."""

import json
import random

import mlflow


def table(path, rows=400):
    draw = random.Random(7)
    lines = ["age,plan,visits,churn"]
    for _ in range(rows):
        age, plan, visits = draw.randint(18, 80), draw.choice(["basic", "plus", "pro"]), draw.randint(0, 30)
        churn = "yes" if (visits < 9) + (plan == "basic") + draw.random() * 0.8 > 1.4 else "no"
        lines.append(f"{'' if draw.random() < 0.05 else age},{plan},{visits},{churn}")
    path.write_text("\n".join(lines) + "\n")


def test_a_csv_of_ones_own(server, client, beira, tmp_path):
    table(tmp_path / "churn.csv")
    beira("init", tmp_path / "churn.csv", "--output", tmp_path / "pipeline.yaml")
    beira("train", tmp_path / "pipeline.yaml", "--server", server.url)
    (model,) = client.search_registered_models()
    champion = client.get_model_version_by_alias(model.name, "champion")
    run = client.get_run(champion.run_id)
    assert run.info.status == "FINISHED" and run.data.metrics["test_auc"] > 0.8
    again = beira("train", tmp_path / "pipeline.yaml", "--server", server.url)
    assert "challenger" in again
    assert client.get_model_version_by_alias(model.name, "challenger").version == "2"

    folder = tmp_path / "downloaded"
    for version in ("1", "2"):
        source = client.get_model_version(model.name, version).run_id
        mlflow.artifacts.download_artifacts(run_id=source, artifact_path="model", dst_path=str(folder / version))
    first, second = ((folder / v / "model" / "model.onnx").read_bytes() for v in ("1", "2"))
    assert first == second, "the same seed gives the same ONNX bytes"
    record = {"age": None, "plan": "a plan of the future", "visits": 3}
    answer = json.loads(beira("predict", folder / "1/model/model.wasm", "--input", "-", input=json.dumps(record)))
    assert answer["label"] in ("yes", "no")


def test_bad_data_is_named(server, beira, tmp_path):
    def check(csv, *expected, pipeline=None):
        (tmp_path / "bad.csv").write_text(csv)
        if pipeline is None:
            pipeline = f"source:\n  csv: {tmp_path / 'bad.csv'}\ntarget: y\nname: bad\n"
        (tmp_path / "bad.yaml").write_text(pipeline)
        error = beira("train", tmp_path / "bad.yaml", "--server", server.url, fails=True)
        for text in expected:
            assert text in error, error

    check("a,y\n1,2\n1,2,3\n", "bad.csv", "line 3")
    check("a,y\n" + "1,5\n2,5\n" * 50, "column `y`", "the same in every row")
    missing = f"source:\n  csv: {tmp_path / 'nowhere.csv'}\ntarget: y\nname: bad\n"
    check("", "nowhere.csv", pipeline=missing)
    unknown = f"source:\n  csv: {tmp_path / 'bad.csv'}\ntarget: y\nname: bad\ncolumns:\n  height: numeric\n"
    check("a,y\n" + "1,0\n2,1\n" * 50, "height", pipeline=unknown)
