"""A `beira serve` for the tests, and the binary itself."""

import os
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import mlflow
import pytest

BEIRA = os.environ.get("BEIRA_BIN", "target/debug/beira")


class Server:
    """`beira serve` on a free port, with its state in `folder`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self, *options):
        arguments = ["--port", str(self.port), "--db", self.folder / "beira.db", "--artifacts", self.folder / "artifacts"]
        self.process = subprocess.Popen([BEIRA, "serve", *map(str, arguments), *options])
        for _ in range(200):
            assert self.process.poll() is None, "beira serve ended at once"
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=1):
                    return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError("beira serve does not answer")

    def stop(self):
        self.process.terminate()
        assert self.process.wait(timeout=10) == 0, "SIGTERM ends the server cleanly"

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path):
    """A server of the test's own."""
    server = Server(tmp_path).start()
    yield server
    if server.process.poll() is None:
        server.stop()


@pytest.fixture
def client(server, monkeypatch):
    """MLflow's own client, and its fluent API, on the server."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri(server.url)
    mlflow.set_registry_uri(server.url)
    yield mlflow.MlflowClient()
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.sklearn.autolog(disable=True)  # else the next `fit` anywhere logs to a server that is gone


@pytest.fixture(scope="session")
def beira():
    """Runs `beira ARGUMENTS` and returns what it printed."""

    def run(*arguments, input=None, fails=False):
        done = subprocess.run([BEIRA, *map(str, arguments)], input=input, capture_output=True, text=True, timeout=300)
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else done.stdout

    return run
