"""`beira gate` against a real server: better, equal, worse, leaky and broken candidates, the alias, the way back."""

import json
import random
import subprocess

import mlflow
import numpy
import onnx
import pytest
from conftest import BEIRA
from onnx import TensorProto, helper

# What a pipeline of these tests fits: rounds, and the features it may look at.
LEARNERS = {
    "weak": "learners: {boosting: {rounds: 2, depth: 1, learning_rate: 0.1}}",
    "strong": "learners: {boosting: {rounds: 120, depth: 4}}",
    "linear": "learners: {linear: {}}",
}


def table(path, rows=4000, seed=3):
    """A target that two numbers and a category decide, in a way that one split does not find."""
    draw = random.Random(seed)
    lines = ["income,age,plan,churn"]
    for _ in range(rows):
        income, age, plan = draw.gauss(50, 12), draw.randint(18, 80), draw.choice(["basic", "plus", "pro"])
        score = (age - 49) / 15 + (income - 50) / 18 + (1.1 if plan == "basic" else -0.5) + draw.gauss(0, 0.9)
        lines.append(f"{income:.2f},{age},{plan},{'yes' if score > 0.1 else 'no'}")
    path.write_text("\n".join(lines) + "\n")


class House:
    """A server with trained versions, and the gate."""

    def __init__(self, server, client, folder):
        self.server, self.client, self.folder = server, client, folder
        table(folder / "churn.csv")

    def train(self, learners, *, csv="churn.csv", seed=7, extra=""):
        """Registers one more version of `churn`; answers its number."""
        pipeline = self.folder / "pipeline.yaml"
        pipeline.write_text(
            f"name: churn\nsource: {{csv: {csv}}}\ntarget: churn\nsplit: {{seed: {seed}}}\n{LEARNERS[learners]}\n{extra}"
        )
        subprocess.run([BEIRA, "train", pipeline, "--server", self.server.url], check=True, capture_output=True, timeout=300)
        return max(self.client.search_model_versions("name='churn'"), key=lambda v: int(v.version)).version

    def gate(self, candidate, *arguments, policy=None):
        """Exit code and report."""
        out = self.folder / "report"
        if policy is not None:
            (self.folder / "gate.yaml").write_text(policy)
            arguments += ("--policy", self.folder / "gate.yaml")
        if not str(candidate).endswith((".wasm", ".onnx", ".yaml")):
            candidate = f"models:/churn/{candidate}"
        command = [BEIRA, "gate", "--candidate", candidate, "--server", self.server.url, "--out", out, *arguments]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
        if done.returncode in (1, 2):
            return done.returncode, done.stderr
        report = json.loads((out / "report.json").read_text())
        assert done.stdout.strip() == (out / "report.md").read_text().strip()
        return done.returncode, report

    def alias(self, alias):
        return self.client.get_registered_model("churn").aliases.get(alias)

    def register(self, name, build, like):
        """A version whose folder `build` fills, from a run that has the held-out rows of version `like`."""
        source = self.client.get_model_version("churn", like)
        with mlflow.start_run() as run:
            copy = self.folder / f"copy-{name}"
            mlflow.artifacts.download_artifacts(run_id=source.run_id, artifact_path="heldout", dst_path=str(copy))
            mlflow.artifacts.download_artifacts(run_id=source.run_id, artifact_path="model", dst_path=str(copy))
            build(copy / "model")
            mlflow.log_artifacts(str(copy))
        uri = f"{run.info.artifact_uri}/model"
        return self.client.create_model_version("churn", uri, run.info.run_id).version


@pytest.fixture
def house(server, client, tmp_path):
    return House(server, client, tmp_path)


def test_the_story_of_a_champion(house):
    """A first champion, a better one promoted, an equal one held, a worse and a leaky one rejected, one step back."""
    first = house.train("weak")
    assert house.alias("champion") == first, "the first training sets the alias"
    code, report = house.gate(first, "--promote")
    assert (code, report["verdict"]) == (0, "PROMOTE"), report["reason"]
    assert report["champion"] is None and "trivial baseline" in report["reason"]

    better = house.train("strong")
    assert house.alias("champion") == first, "training moves no alias any more"
    code, report = house.gate(better)
    assert (code, report["verdict"]) == (0, "PROMOTE"), report["reason"]
    assert house.alias("champion") == first, "without --promote nothing moves"
    code, report = house.gate(better, "--promote")
    assert code == 0 and (house.alias("champion"), house.alias("previous")) == (better, first)
    states = {guard["name"]: guard["state"] for guard in report["guards"]}
    assert states == dict.fromkeys(
        ["module", "answers", "leakage", "signature", "parity", "module bytes", "latency"], "holds"
    )
    tests = {m["metric"]: m["test"]["name"] for m in report["measured"] if m["test"]}
    assert tests["auc"] == "DeLong" and tests["accuracy"].startswith("McNemar")
    run = house.client.get_run(house.client.get_model_version("churn", better).run_id)
    assert run.data.tags["gate/verdict"] == "PROMOTE" and run.data.tags["gate/champion"] == f"churn/{first}"
    assert run.data.metrics["gate/auc.lower"] > 0
    logged = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/gate/report.json")
    assert json.loads(logged)["verdict"] == "PROMOTE"
    assert "## Gate: PROMOTE" in mlflow.artifacts.load_text(f"{run.info.artifact_uri}/gate/report.md")

    equal = house.train("strong")
    code, report = house.gate(equal, "--promote")
    assert (code, report["verdict"]) == (10, "HOLD"), report["reason"]
    worse = house.train("weak")
    code, report = house.gate(worse, "--promote")
    assert (code, report["verdict"]) == (20, "REJECT") and "auc is worse" in report["reason"], report["reason"]

    # A candidate whose training rows hold the rows that it is judged on.
    leaky = house.train("strong", seed=8)
    champion = house.client.get_model_version("churn", better)
    held_out = mlflow.artifacts.download_artifacts(run_id=champion.run_id, artifact_path="heldout")
    records, labels = (json.loads(open(f"{held_out}/{name}.json").read()) for name in ("records", "labels"))
    lines = ["income,age,plan,churn"]
    lines += [",".join(map(str, [r["income"], r["age"], r["plan"], label])) for r, label in zip(records, labels)]
    (house.folder / "heldout.csv").write_text("\n".join(lines) + "\n")
    code, report = house.gate(leaky, "--promote", "--data", house.folder / "heldout.csv")
    assert (code, report["verdict"]) == (20, "REJECT"), report["reason"]
    assert "has been trained on" in report["reason"] and "held-out rows; 0 are allowed" in report["reason"]
    # The same rows are no leak for the one that held them out.
    code, report = house.gate(equal, "--data", house.folder / "heldout.csv")
    assert code == 10 and next(g for g in report["guards"] if g["name"] == "leakage")["state"] == "holds"

    assert house.alias("champion") == better, "none of them moved the alias"
    for expected in (f"version {first} is champion again, in place of version {better}", f"version {first} is champion already"):
        done = subprocess.run(
            [BEIRA, "rollback", "churn", "--server", house.server.url], check=True, capture_output=True, text=True
        )
        assert expected in done.stdout
    assert house.alias("champion") == first


def nan_model(folder):
    """The champion's signature, and NaN as every probability."""
    model = onnx.load(folder / "model.onnx")
    outputs = {output.name for output in model.graph.output}
    probabilities = next(o.name for o in model.graph.output if o.type.tensor_type.elem_type == TensorProto.FLOAT)
    for node in model.graph.node:
        for names in (node.input, node.output):
            for k, name in enumerate(names):
                if name == probabilities:
                    names[k] = "/clean"
    model.graph.initializer.append(helper.make_tensor("/nan", TensorProto.FLOAT, [1], [numpy.nan]))
    model.graph.node.append(helper.make_node("Add", ["/clean", "/nan"], [probabilities]))
    assert probabilities in outputs
    onnx.save(model, folder / "model.onnx")
    (folder / "model.wasm").unlink()


def corrupt(folder):
    path = folder / "model.wasm"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def exchanged(folder):
    """The ONNX file is of another model than the module."""
    model = onnx.load(folder / "model.onnx")
    model.producer_name = "somebody else"
    onnx.save(model, folder / "model.onnx")


def empty(folder):
    (folder / "model.wasm").unlink()
    (folder / "model.onnx").unlink()


def test_every_broken_candidate_is_refused_with_its_reason(house):
    champion = house.train("weak")
    good = house.train("strong")

    def check(candidate, expected, policy="", code=20):
        found, report = house.gate(candidate, "--promote", policy=policy)
        assert found == code, report
        assert expected in report["reason"], report["reason"]
        assert house.alias("champion") == champion
        run = house.client.get_run(house.client.get_model_version("churn", candidate).run_id)
        assert run.data.tags["gate/reason"] == report["reason"]

    check(house.register("nan", nan_model, good), "it answers NaN or infinity in")
    check(house.register("corrupt", corrupt, good), "the candidate's module is broken: damaged module")
    check(house.register("exchanged", exchanged, good), "it was not compiled from the ONNX file beside it")
    check(house.register("empty", empty, good), "its folder holds neither model.wasm nor model.onnx")
    no_age = house.train("strong", extra="columns: {age: ignore}\n")
    check(no_age, "input `age` is missing")
    check(good, "module bytes of the candidate: ", "guards: {module_bytes_free: 0, module_bytes_ratio: 1.01}")
    # 120 trees of depth 4 beside 2 stumps.
    check(good, "latency of the candidate: ", "guards: {latency_us_free: 0, latency_ratio: 1.01}")
    check(good, "auc of the candidate is 0.", "floors: [{metric: auc, value: 0.9999}]")
    # A run that does not say what its fit has seen is held, whatever the metrics say.
    def forgotten(folder):
        (folder.parent / "heldout/seen.txt").unlink()
    check(house.register("forgotten", forgotten, good), "leakage is not measured", code=10)


def test_files_a_foreign_question_and_a_champion_that_moved(house, beira):
    house.train("weak")
    good = house.train("strong")
    folder = house.folder / "files"
    for version in ("1", good):
        run = house.client.get_model_version("churn", version).run_id
        mlflow.artifacts.download_artifacts(run_id=run, artifact_path="model", dst_path=str(folder / version))
    candidate, champion = folder / good / "model/model.wasm", folder / "1/model/model.onnx"
    rows = ("--data", house.folder / "churn.csv", "--target", "churn")
    code, report = house.gate(candidate, "--champion", champion, *rows)
    assert code == 10 and "leakage is not measured" in report["reason"]
    code, report = house.gate(candidate, "--champion", champion, *rows, policy="guards: {leaked_rows: null}")
    assert code == 0, report["reason"]
    assert any("tract" in (guard["candidate"] or "") for guard in report["guards"])
    # The reference needs the ONNX file that the module was compiled from.
    candidate.with_suffix(".onnx").unlink()
    code, report = house.gate(candidate, "--champion", champion, *rows, policy="guards: {leaked_rows: null}")
    assert code == 10 and "parity is not measured" in report["reason"]
    # Verdicts that a job accepts end with 0.
    code, report = house.gate(candidate, "--champion", champion, *rows, "--accept", "hold")
    assert code == 0 and report["verdict"] == "HOLD"

    def refused(expected, candidate, *arguments, code=1):
        found, error = house.gate(candidate, *arguments)
        assert found == code and expected in error, error

    refused("only a registered version can be promoted", candidate, "--champion", champion, *rows, "--promote")
    refused("--champion models:/NAME@champion, a file, or none", candidate, *rows)
    refused("churn has no such version", 77)
    refused("no version of churn has this alias", good, "--champion", "models:/churn@nobody")
    refused("no column `plan`; there are income, age, churn", good, "--data",
            bad_csv(house.folder, "income,age,churn\n1,2,yes\n"))
    refused("line 2, column `age`", good, "--data", bad_csv(house.folder, "income,age,plan,churn\n1,x,pro,yes\n"))
    refused("the label of row 0 is none of the model's 2 classes", good, "--data",
            bad_csv(house.folder, "income,age,plan,churn\n1,2,pro,maybe\n3,4,pro,no\n"))
    refused("the comparison was with no version", good, "--champion", "none", "--promote")
    (house.folder / "gate.yaml").write_text("margins: 1")
    refused("unknown field `margins`", good, "--policy", house.folder / "gate.yaml")
    nobody = beira("gate", "--candidate", f"models:/churn/{good}", "--server", "http://127.0.0.1:9", fails=True)
    assert "start it with `beira serve`" in nobody
    assert house.alias("champion") == "1"
    assert "nothing was promoted before" in beira("rollback", "churn", "--server", house.server.url, fails=True)


def bad_csv(folder, text):
    (folder / "bad.csv").write_text(text)
    return folder / "bad.csv"
