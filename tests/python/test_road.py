"""The whole road in one walk: from Kaggle to three places that answer alike, through the gate, and back when the world changes."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import threading
import time
from contextlib import contextmanager
from csv import DictWriter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import requests
from conftest import BEIRA
from edge import Running, free_port, start_envoy, start_workerd
from test_edge import digest

SECRET = "a secret of the webhook"
KEY = "a key of the prediction ids"
WEAK = "learners: {boosting: {rounds: 2, depth: 1, learning_rate: 0.1}}"
STRONG = "learners: {boosting: {rounds: 200, learning_rate: 0.08, depth: 4, patience: 25}}"


class Times:
    """How long each step of the walk took."""

    def __init__(self, say):
        self.steps, self.say = [], say

    @contextmanager
    def step(self, name):
        start = time.monotonic()
        yield
        self.steps.append((name, time.monotonic() - start))
        self.say(f"  {self.steps[-1][1]:7.2f} s  {name}")


@contextmanager
def listening(get=None, post=None):
    """A server on loopback: `get(path, headers)` and `post(path, headers, body)` give (status, bytes)."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status, body):
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.answer(*get(self.path, self.headers))

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            self.answer(*post(self.path, self.headers, body))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def kaggle(table):
    """Kaggle's download address for `beira/customers`, for the one account that it knows."""
    expected = "Basic " + base64.b64encode(b"someone:a key").decode()
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("mixed.csv", table)

    def get(path, headers):
        if headers.get("authorization") != expected:
            return 401, b"{}"
        if path != "/api/v1/datasets/download/beira/customers":
            return 404, b"{}"
        return 200, packed.getvalue()

    with listening(get=get) as url:
        yield {"KAGGLE_API_BASE": url, "KAGGLE_USERNAME": "someone", "KAGGLE_KEY": "a key"}


class Webhook:
    """What the alarm told, each notice with a signature that holds."""

    def __init__(self):
        self.notices = []

    def post(self, _path, headers, body):
        signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
        mac = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{mac}", "the notice is signed"
        self.notices.append(json.loads(body))
        return 200, b""


class Callers:
    """Asks row after row (the same ones again would be a drift), until told to stop; every answer that is none is kept."""

    def __init__(self, url, records):
        self.failed, self.answered = [], 0
        self.url, self.records, self.over = url, records, threading.Event()
        self.threads = [threading.Thread(target=self.call, args=(i * len(records) // 4,)) for i in range(4)]

    def call(self, start):
        session, i = requests.Session(), start
        while not self.over.is_set():
            try:
                answer = session.post(self.url, json=self.records[i % len(self.records)], timeout=5)
                if answer.status_code != 200:
                    self.failed.append(answer.text)
            except requests.RequestException as error:
                self.failed.append(repr(error))
            self.answered += 1
            i += 1
            time.sleep(0.01)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def wait(what, found, seconds=90):
    """What `found` gives as soon as it gives something."""
    for _ in range(seconds * 5):
        if (value := found()) is not None:
            return value
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds} s")


def rootfs(folder, into):
    """The image's root file system: the COPYs of a Dockerfile FROM scratch, and its ENTRYPOINT."""
    lines = (folder / "Dockerfile").read_text().splitlines()
    assert lines[0] == "FROM scratch"
    entrypoint = None
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "COPY":
            source, target = json.loads(rest)
            place = into / target.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((folder / source).read_bytes())
            place.chmod((folder / source).stat().st_mode)
        elif word == "ENTRYPOINT":
            entrypoint = json.loads(rest)
    return entrypoint


def start_image(root, arguments):
    """A program of the image: with its root file system as the root, or (not being root) beside it."""
    port = free_port()
    if os.geteuid() == 0:
        command = ["chroot", str(root), *arguments]
    else:
        command = [str(root / part.lstrip("/")) if (root / part.lstrip("/")).is_file() else part for part in arguments]
    command = ["env", f"PORT={port}", f"BEIRA_PREDICTION_KEY={KEY}", *command]
    url = f"http://127.0.0.1:{port}"
    return Running(command, root, url, f"{url}/v2/health/ready")


def test_the_road(server, client, beira, say, tmp_path):
    times, webhook = Times(say), Webhook()
    image = Path(os.environ["BEIRA_IMAGE_BIN"])

    def train(name, learners, seed=7):
        text = (tmp_path / "mixed/pipeline.yaml").read_text()
        head, _, _ = text.partition("learners:")
        head = head.replace("csv: mixed.csv", "url: kaggle://beira/customers\n  file: mixed.csv")
        pipeline = tmp_path / f"{name}.yaml"
        pipeline.write_text(head.replace("seed: 7", f"seed: {seed}") + learners + "\n")
        with kaggle((tmp_path / "mixed/mixed.csv").read_bytes()) as environment:
            command = [BEIRA, "train", str(pipeline), "--server", server.url, "--json"]
            done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=600, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout.splitlines()[-1])["version"])

    def gate(version, *arguments):
        command = [BEIRA, "gate", "--candidate", f"models:/churn/{version}", "--server", server.url, "--out", tmp_path / "gate"]
        done = subprocess.run([*map(str, command), *map(str, arguments)], capture_output=True, text=True, timeout=600)
        assert done.returncode in (0, 10, 20), done.stderr
        report = json.loads((tmp_path / "gate/report.json").read_text())
        return report["verdict"], report["reason"]

    def alias(name):
        return client.get_registered_model("churn").aliases.get(name)

    # Telling is asked for, and looks come fast: a person would wait an hour for what takes seconds here.
    server.stop()
    with listening(post=webhook.post) as told:
        os.environ["BEIRA_TEST_WEBHOOK"] = SECRET
        server.start(
            *["--alert-webhook", told, "--alert-secret-env", "BEIRA_TEST_WEBHOOK", "--prediction-key", KEY],
            *["--watch-every", "0.5", "--watch-window", "1", "--watch-sustained", "1/1"],
        )

        with times.step("the mixed table"):
            beira("init", "--example", "mixed", tmp_path / "mixed")
        with times.step("Kaggle → features → a first model → registry"):
            first = train("first", WEAK)
        assert alias("champion") == first
        with times.step("gate: a first deployment"):
            verdict, reason = gate(first, "--promote")
        assert verdict == "PROMOTE", reason
        with times.step("a second model"):
            better = train("better", STRONG)
        assert alias("champion") == first, "from the second on the gate moves the alias"

        run = client.get_model_version("churn", better).run_id
        held = Path(client.download_artifacts(run, "heldout", str(tmp_path)))
        records = json.loads((held / "records.json").read_text())
        labels = json.loads((held / "labels.json").read_text())

        with times.step("deploy: the image, its root file system"):
            beira("deploy", "cloud-run", "--model", f"models:/churn/{better}", "--server", server.url, "--binary", image, "--out", tmp_path / "cloud-run")
            entrypoint = rootfs(tmp_path / "cloud-run", tmp_path / "root")
        size = sum(file.stat().st_size for file in (tmp_path / "root").rglob("*") if file.is_file())
        assert size <= 40 << 20, f"{size} bytes"
        with times.step("deploy: Cloudflare, Google's plugin"):
            for target in ("cloudflare", "gcp-plugin"):
                beira("deploy", target, "--model", f"models:/churn/{better}", "--server", server.url, "--out", tmp_path / target)
        rows = records[:1000]
        with times.step(f"{len(rows)} held-out rows in the image, in workerd and in Envoy"):
            with (
                start_image(tmp_path / "root", entrypoint) as container,
                start_workerd(tmp_path / "cloudflare") as worker,
                start_envoy(tmp_path / "gcp-plugin") as envoy,
            ):
                served = requests.post(f"{container.url}/predict/{entrypoint_model(entrypoint)}", json=rows, timeout=30)
                edge = requests.post(f"{worker.url}/predict", json=rows, timeout=30)
                proxy = [requests.post(f"{envoy.url}/predict", json=record, timeout=5) for record in rows]
            answers = [served.json(), edge.json(), [answer.json() for answer in proxy]]
            assert all(len(answer) == len(rows) for answer in answers)
            digests = {digest(answer) for answer in answers}
        assert len(digests) == 1, [answer[:2] for answer in answers]
        say(f"             the same bits: sha256 {digests.pop()}, image {size / (1 << 20):.1f} MiB")

        live_arguments = ["/beira", "infer", "--model", "models:/churn@champion", "--server", server.url, "--poll", "1", "--telemetry", server.url]
        with start_image(tmp_path / "root", live_arguments) as live:

            def version():
                return requests.get(f"{live.url}/v2/models/churn", timeout=5).json()["versions"][-1]

            assert version() == first
            with Callers(f"{live.url}/predict/churn", records) as callers:
                with times.step("gate: a better candidate is promoted"):
                    verdict, reason = gate(better, "--promote")
                assert verdict == "PROMOTE", reason
                with times.step("and live"):
                    wait("the better version is live", lambda: version() == better or None)
                time.sleep(0.5)
            assert callers.answered > 50 and not callers.failed, callers.failed[:3]
            say(f"             {callers.answered} requests meanwhile, 0 failed")

            with times.step("an equal, a worse and a leaky candidate are trained"):
                equal, worse = train("equal", STRONG), train("worse", WEAK)
                leaky = train("leaky", STRONG, seed=8)
            with times.step("gate: equal is held, worse and leaky are rejected"):
                verdict, reason = gate(equal, "--promote")
                assert verdict == "HOLD", reason
                verdict, reason = gate(worse, "--promote")
                assert verdict == "REJECT" and "worse" in reason, reason
                # Split by another seed, it has learnt rows that the champion held out.
                csv = tmp_path / "heldout.csv"
                with csv.open("w", newline="") as file:
                    table = DictWriter(file, [*records[0], "churned"])
                    table.writeheader()
                    table.writerows(record | {"churned": "yes" if label else "no"} for record, label in zip(records, labels))
                verdict, reason = gate(leaky, "--promote", "--data", csv)
                assert verdict == "REJECT" and "has been trained on" in reason, reason
            assert alias("champion") == better

            shifted = [record | {"sessions": (record["sessions"] or 0) + 45} for record in records]
            with times.step("inputs are shifted, the alarm fires"):
                ids = []

                def ask():
                    part = shifted[len(ids) % len(shifted) :][:200]
                    rows = requests.post(f"{live.url}/predict/churn?ids=1", json=part, timeout=10).json()
                    ids.extend(row["prediction_id"] for row in rows)
                    return next((n for n in webhook.notices if n["state"] == "firing"), None)

                notice = wait("the alarm fires", ask)
            assert "drift:sessions" in notice["causes"] and notice["features"][0]["name"] == "sessions", notice
            assert notice["version"] == better

            with times.step("late labels confirm"):
                answers = requests.post(f"{live.url}/predict/churn?ids=1", json=shifted[:1000], timeout=30).json()
                wrong = [{"id": a["prediction_id"], "label": 1 - a["label"]} for a in answers]
                answer = requests.post(f"{server.url}/telemetry/labels", json={"model": "churn", "labels": wrong}, timeout=30)
                assert answer.json() == {"counted": len(wrong), "duplicates": 0}, answer.text
                wait(
                    "the alarm is confirmed",
                    lambda: next((n for n in webhook.notices if any(c.startswith("realised:") for c in n["causes"])), None),
                )
            metrics = client.get_run(run).data.metrics
            assert metrics["production/psi/sessions"] > 0.1, [name for name in metrics if name.startswith("production")]

            with times.step("the alias rolls back, and the version of before answers"):
                beira("rollback", "churn", "--server", server.url)
                assert (alias("champion"), alias("previous")) != (better, first) and alias("champion") == first
                wait("the first version answers again", lambda: version() == first or None)
    say(f"  {sum(seconds for _, seconds in times.steps):7.2f} s  the whole road")


def entrypoint_model(entrypoint):
    """Name under which the image serves its module."""
    return Path(entrypoint[entrypoint.index("--model") + 1]).stem
