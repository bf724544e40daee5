"""Artifacts in a folder, S3 and GCS: moto's server is the bucket of both, for GCS speaks the language of S3 too."""

import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import mlflow
import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from conftest import BEIRA, Server, free_port

PYTHON = os.environ.get("BEIRA_MOTO_PYTHON", "target/venv-moto/bin/python")
PROXY = "/api/2.0/mlflow-artifacts"


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    """Address of an S3 with the bucket `models`."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = open(tmp_path_factory.mktemp("moto") / "log", "w")
    command = [PYTHON, Path(__file__).parent / "bucket.py", str(port)]
    process = subprocess.Popen(command, stdout=log, stderr=log, env={"S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"})
    for _ in range(300):
        try:
            if requests.put(f"{url}/models", timeout=5).ok:
                break
        except requests.ConnectionError:
            time.sleep(0.1)
    else:
        raise AssertionError("moto's server does not answer")
    yield url
    process.terminate()
    process.wait()


def s3(moto):
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    return keys | {"AWS_ENDPOINT_URL": moto, "AWS_DEFAULT_REGION": "us-east-1"}


def gs(moto, folder, key=""):
    account = {"private_key": key, "private_key_id": "", "client_email": "me@example.org"}
    account |= {"disable_oauth": not key, "gcs_base_url": moto}
    (folder / "account.json").write_text(json.dumps(account))
    return {"GOOGLE_SERVICE_ACCOUNT": str(folder / "account.json")}


@pytest.fixture(params=["folder", "s3", "gs"])
def server(request, tmp_path, moto):
    """A server whose artifacts lie in a folder or a bucket."""
    environment = {"folder": {}, "s3": s3(moto), "gs": gs(moto, tmp_path)}[request.param]
    root = None if request.param == "folder" else f"{request.param}://models/{tmp_path.name}"
    server = Server(tmp_path, artifacts=root, environment=environment).start()
    server.kind = request.param
    yield server
    server.stop()


def random_file(path, size):
    path.write_bytes(os.urandom(size))
    return path


def test_files_go_in_and_out(client, server, tmp_path):
    (tmp_path / "a b+1%.txt").write_text("hello")
    large = random_file(tmp_path / "large.bin", 20 << 20)
    with mlflow.start_run() as run:
        mlflow.log_artifact(tmp_path / "a b+1%.txt", "notes/deep")
        mlflow.log_artifact(large)
    run_id = run.info.run_id
    assert [(f.path, f.file_size) for f in client.list_artifacts(run_id)] == [("large.bin", 20 << 20), ("notes", None)]
    back = client.download_artifacts(run_id, "", str(tmp_path / "back"))
    assert (Path(back) / "notes/deep/a b+1%.txt").read_text() == "hello"
    assert (Path(back) / "large.bin").read_bytes() == large.read_bytes()
    url = f"{server.url}{PROXY}/artifacts/0/{run_id}/artifacts/large.bin"
    part = requests.get(url, headers={"Range": "bytes=10000000-10000009"}, timeout=10)
    assert part.status_code == 206 and part.content == large.read_bytes()[10_000_000:10_000_010]
    assert part.headers["Content-Range"] == f"bytes 10000000-10000009/{20 << 20}"
    assert requests.get(url, headers={"Range": f"bytes={20 << 20}-"}, timeout=10).status_code == 416
    assert requests.delete(f"{server.url}{PROXY}/artifacts/0/{run_id}/artifacts/notes", timeout=10).json() == {}
    assert [f.path for f in client.list_artifacts(run_id)] == ["large.bin"]
    for path in ["0/nothing", "0/../x", "0/%2e%2e/%2e%2e/x"]:
        assert requests.get(f"{server.url}{PROXY}/artifacts/{path}", timeout=10).status_code in (400, 404)
    assert requests.delete(f"{server.url}{PROXY}/artifacts/0/nothing", timeout=10).status_code == 404


def test_nothing_is_held_whole_in_memory(client, server):
    def most():
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) // 1024

    size, chunk = 192, os.urandom(1 << 20)
    digest = hashlib.sha256(chunk * size).hexdigest()
    url = f"{server.url}{PROXY}/artifacts/0/big"
    requests.put(f"{url}/first", data=iter([chunk] * 16), timeout=60).raise_for_status()
    before = most()
    requests.put(f"{url}/file", data=iter([chunk] * size), timeout=120).raise_for_status()
    got = hashlib.sha256()
    with requests.get(f"{url}/file", stream=True, timeout=120) as answer:
        for bytes_ in answer.iter_content(1 << 20):
            got.update(bytes_)
    assert got.hexdigest() == digest
    assert most() < before + 64, "MB"


def test_a_large_file_goes_in_parts(client, server, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "1000000")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(5 << 20))
    monkeypatch.setenv("MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE", str(5 << 20))
    file = random_file(tmp_path / "large.bin", (12 << 20) + 5)
    created = requests.post(f"{server.url}{PROXY}/mpu/create/0", json={"path": "x", "num_parts": 1}, timeout=10)
    if server.kind == "gs":
        assert created.status_code == 501, "an account without OAuth signs nothing, and the client sends the file at once"
    else:
        created = created.json()
        ours = created["credentials"][0]["url"].startswith(server.url)
        assert ours == (server.kind == "folder"), "parts go to the bucket itself"
        aborted = {"path": "x", "upload_id": created["upload_id"]}
        requests.post(f"{server.url}{PROXY}/mpu/abort/0", json=aborted, timeout=10).raise_for_status()
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(file), "models")
    back = client.download_artifacts(run.info.run_id, "models/large.bin", str(tmp_path / "back"))
    assert Path(back).read_bytes() == file.read_bytes()
    path = f"{server.url}{PROXY}/presigned/0/{run.info.run_id}/artifacts/models/large.bin"
    presigned = requests.get(path, timeout=10)
    if server.kind != "s3":
        assert presigned.status_code == 501
    else:
        answer = presigned.json()
        assert answer["file_size"] == file.stat().st_size
        assert requests.get(answer["url"], headers=answer["headers"], timeout=10).content == file.read_bytes()


def test_a_model_is_compiled_into_the_bucket(client, server, tmp_path):
    onnx = Path(__file__).parent.parent.parent / "server/tests/it/iris.onnx"
    run = client.create_run("0").info.run_id
    client.log_artifact(run, str(shutil.copy(onnx, tmp_path / "model.onnx")), "model")
    client.create_registered_model("iris")
    client.create_model_version("iris", f"runs:/{run}/model", run)
    for _ in range(200):
        module = requests.get(f"{server.url}/modules/iris/1", timeout=5)
        if module.ok:
            break
        time.sleep(0.1)
    assert module.content[:4] == b"\0asm"


def test_runs_whose_root_is_the_bucket_itself(moto, tmp_path):
    root = f"s3://models/{tmp_path.name}/direct"
    server = Server(tmp_path, environment=s3(moto)).start("--default-artifact-root", root)
    client = mlflow.MlflowClient(server.url)
    run = client.create_run(client.create_experiment("direct")).info
    assert run.artifact_uri.startswith(root)
    api = f"{server.url}/api/2.0/mlflow/artifacts"
    file = {"run_id": run.run_id, "path": "notes/x.txt"}
    address = requests.post(f"{api}/presigned-upload-url", json=file, timeout=10).json()
    requests.put(address["presigned_url"], data=b"hello", headers=address["headers"], timeout=10).raise_for_status()
    listed = requests.get(f"{api}/list", params={"run_id": run.run_id, "path": "notes"}, timeout=10).json()
    assert listed["files"] == [{"path": "notes/x.txt", "is_dir": False, "file_size": 5}]
    address = requests.post(f"{api}/presigned-download-url", json=file, timeout=10).json()
    assert address["file_size"] == 5 and requests.get(address["presigned_url"], timeout=10).content == b"hello"
    for wrong, status in [({"path": "../x"}, 400), ({"expiration": 604801}, 400), ({"run_id": "nobody"}, 404)]:
        assert requests.post(f"{api}/presigned-download-url", json=file | wrong, timeout=10).status_code == status
    server.stop()


def test_addresses_are_signed_as_google_checks_them(moto, tmp_path):
    """Cloud Storage, "V4 signing process": what is signed is the request with all but its signature."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    root = f"gs://models/{tmp_path.name}"
    server = Server(tmp_path, environment=gs(moto, tmp_path, pem)).start("--default-artifact-root", root)
    client = mlflow.MlflowClient(server.url)
    run = client.create_run(client.create_experiment("direct")).info
    for method, kind, content in [("PUT", "upload", b"hello"), ("GET", "download", None)]:
        file = {"run_id": run.run_id, "path": "notes/x 1.txt", "expiration": 90}
        path = f"{server.url}/api/2.0/mlflow/artifacts/presigned-{kind}-url"
        address = requests.post(path, json=file, timeout=10).json()["presigned_url"]
        url = urlsplit(address)
        query = dict(parse_qsl(url.query))
        signature = bytes.fromhex(query.pop("X-Goog-Signature"))
        assert query["X-Goog-Expires"] == "90" and query["X-Goog-Credential"].startswith("me@example.org/")
        scope = query["X-Goog-Credential"].partition("/")[2]
        pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query.items()))
        asked = "\n".join([method, url.path, pairs, "host:storage.googleapis.com", "", "host", "UNSIGNED-PAYLOAD"])
        digest = hashlib.sha256(asked.encode()).hexdigest()
        signed = "\n".join(["GOOG4-RSA-SHA256", query["X-Goog-Date"], scope, digest])
        key.public_key().verify(signature, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        answer = requests.request(method, address, data=content, timeout=10)
        assert answer.ok and (content or answer.content == b"hello")
    server.stop()


def test_a_bucket_that_is_not_there_is_told_at_once(moto, tmp_path):
    arguments = ["--port", "0", "--db", tmp_path / "beira.db", "--artifacts", "s3://nowhere/models"]
    environment = os.environ | s3(moto)
    done = subprocess.run([BEIRA, "serve", *arguments], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "cannot use s3://nowhere/models for artifacts" in done.stderr
    assert "secret" not in done.stderr
