"""A `beira serve` for the tests, and the binary itself."""

import os
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

import mlflow
import pytest

BEIRA = os.environ.get("BEIRA_BIN", "target/debug/beira")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """`beira serve` on a free port, with its state in `folder`, or its tables in the database `db` and its files in
    `artifacts`."""

    def __init__(self, folder, db=None, artifacts=None, environment=None):
        self.folder = Path(folder)
        self.db = db or self.folder / "beira.db"
        self.artifacts = artifacts or self.folder / "artifacts"
        self.environment = environment or {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self, *options):
        self.spawn(*options)
        return self.wait()

    def spawn(self, *options):
        arguments = ["--port", str(self.port), "--db", self.db, "--artifacts", self.artifacts]
        environment = os.environ | self.environment
        self.process = subprocess.Popen([BEIRA, "serve", *map(str, arguments), *options], env=environment)

    def wait(self):
        """Until it answers."""
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


class Postgres:
    """A PostgreSQL of the tests' own; tests/postgres.sh says how."""

    def __init__(self, *tls):
        script = Path(__file__).parent.parent / "postgres.sh"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(["sh", script, *map(str, tls)], **pipes)
        self.address = self.process.stdout.readline().strip()
        assert self.address, "tests/postgres.sh did not start PostgreSQL; it says why"
        self.databases = 0

    def database(self):
        """Address of a new, empty database."""
        self.databases += 1
        name = f"test{self.databases}"
        socket_folder = urllib.parse.unquote(self.address.split("@")[1])
        subprocess.run(["psql", "-q", "-h", socket_folder, "-U", "postgres", "-c", f"CREATE DATABASE {name}"], check=True)
        return f"{self.address}/{name}"

    def say(self, word):
        """`stop` (as if the machine had gone down) or `start`."""
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


@pytest.fixture(scope="session")
def postgres():
    """PostgreSQL for all tests of a session."""
    postgres = Postgres()
    yield postgres
    postgres.end()


@pytest.fixture
def own_postgres():
    """PostgreSQL for one test, which may stop it."""
    postgres = Postgres()
    yield postgres
    postgres.end()


@pytest.fixture
def server(request, tmp_path):
    """A server of the test's own, on SQLite; on each store in files that say so (`pytestmark`)."""
    shared = getattr(request, "param", "sqlite") == "postgres"
    database = request.getfixturevalue("postgres").database() if shared else None
    server = Server(tmp_path, database).start()
    yield server
    if server.process.poll() is None:
        server.stop()


@pytest.fixture
def client(server, monkeypatch):
    """MLflow's own client, and its fluent API, on the server."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    # The fluent API keeps the experiment of an earlier test, of another server, in both places.
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    monkeypatch.setattr(mlflow.tracking.fluent, "_active_experiment_id", None)
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


@pytest.fixture
def say(capsys):
    """Prints to the terminal, whether the test passes or not: figures that one wants to see of every run."""

    def say(*lines):
        with capsys.disabled():
            print("", *lines, sep="\n", end="", flush=True)

    return say
