"""Two servers, one conversation: sends each request to both and says where the answers differ."""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from conftest import free_port
from differential.wanted import BODIES_OF_OUR_OWN, MESSAGES, REASONS

JSON = {"Content-Type": "application/json"}


class MLflow:
    """`mlflow server` on SQLite with one worker, in a folder of its own."""

    def __init__(self, folder):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        arguments = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/files"]
        arguments += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        for left in ["MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"]:
            environment.pop(left, None)  # by earlier tests
        self.log = open(Path(folder) / "log", "w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *arguments],
            env=environment, cwd=folder, stdout=self.log, stderr=self.log, start_new_session=True,
        )

    def wait(self):
        for _ in range(1200):
            if self.process.poll() is not None:
                self.log.seek(0)
                raise AssertionError(f"mlflow server ended: {self.log.read()[-2000:]}")
            try:
                if requests.get(f"{self.url}/health", timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise AssertionError("mlflow server does not answer")

    def stop(self):
        """SIGTERM to the process group that was started with it: the server and its worker."""
        os.killpg(self.process.pid, 15)
        self.process.wait(timeout=30)
        self.log.close()


class Side:
    """One of the two servers, and what its answers named so far."""

    def __init__(self, url):
        self.url = url
        self.names = {"0" * 32: "0" * 32}
        self.session = requests.Session()

    def filled(self, value):
        """`value` with every `$name` replaced."""
        if isinstance(value, str):
            for name in sorted(self.names, key=len, reverse=True):
                value = value.replace(f"${name}", self.names[name])
            return value
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, dict):
            return {self.filled(key): self.filled(item) for key, item in value.items()}
        return value

    def send(self, request):
        url = self.url + self.filled(request.url)
        raw, headers = request.raw, self.filled(request.headers)
        if request.json is not None:
            raw, headers = json.dumps(self.filled(request.json)), JSON | headers
        elif isinstance(raw, str):
            raw, headers = self.filled(raw), JSON | headers
        prepared = requests.Request(request.method, url, params=self.filled(request.query), data=raw, headers=headers)
        prepared = self.session.prepare_request(prepared)
        if "%" in request.path:
            prepared.url = url
        return self.session.send(prepared, timeout=60)

    def learn(self, request, answer):
        for name, path in request.save.items():
            value = answer.json()
            for part in path.split("."):
                value = value[int(part)] if part.isdigit() else value[part]
            self.names[name] = str(value)

    def plain(self, answer, since):
        """The answer without what two servers cannot agree on: ids, times, made-up names."""
        try:
            body = answer.json()
        except ValueError:
            return answer.status_code, None, "a page" if "<" in answer.text or not answer.ok else answer.text
        known = {value: f"${name}" for name, value in self.names.items() if len(value) > 8}

        def clean(value, key=None, parent=None):
            if isinstance(value, dict):
                return {
                    name: clean(item, name, key)
                    for name, item in value.items()
                    if item not in ([], {}, None) and (item != "" or name == "value") and name != "workspace"
                }
            if isinstance(value, list):
                items = [clean(item) for item in value]
                history = key == "metrics" and parent is None
                keyed = not history and all(isinstance(item, dict) and {"key", "path", "alias"} & set(item) for item in items)
                return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if keyed else items
            if isinstance(value, bool):
                return value
            if isinstance(value, int) and since - 60_000 < value < since + 3_600_000:
                return "<now>"
            if isinstance(value, str):
                for id_, name in known.items():
                    value = value.replace(id_, name)
                if key == "next_page_token":
                    return "<token>"
                value = re.sub(r"\b[0-9a-f]{32}\b", "<id>", value)
                value = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>", value)
                if re.fullmatch(r"[a-z]+-[a-z]+-\d+", value):
                    return "<made up name>"
            return value

        if not isinstance(body, dict):
            return answer.status_code, None, body
        code, message = body.get("error_code"), body.get("message")
        if answer.status_code >= 400 and code:
            return answer.status_code, code, clean(message.split(" Error: (")[0])
        return answer.status_code, None, clean(body)


def compare(conversation, mlflow, beira):
    """Sends everything; returns (request, MLflow's answer, ours) where they differ."""
    since = int(time.time() * 1000)
    sides = Side(mlflow), Side(beira)
    differences = []
    with ThreadPoolExecutor(2) as both:
        for request in conversation:
            answers = list(both.map(lambda side: side.send(request), sides))
            for side, answer in zip(sides, answers):
                try:
                    side.learn(request, answer)
                except (KeyError, ValueError, IndexError) as error:
                    raise AssertionError(f"{request}: {answer.status_code} {answer.text[:500]} has no {error}") from error
            theirs, ours = (side.plain(answer, since) for side, answer in zip(sides, answers))
            if not same(request, theirs, ours):
                differences.append((request, theirs, ours))
    return differences


def same(request, theirs, ours):
    """Statuses and codes always; sentences where MLflow's is one that its clients match on; bodies unless they are our own."""
    if theirs[2] == "a page":
        return theirs[0] == ours[0]
    if theirs[:2] != ours[:2]:
        return False
    if theirs[1] is not None:
        return theirs[2] == ours[2] or not any(re.search(pattern, theirs[2] or "") for pattern in MESSAGES)
    return theirs[2] == ours[2] or any(re.search(pattern, request.path) for pattern in BODIES_OF_OUR_OWN)


def judge(differences, conversation):
    """The lines of the report, and those of them that no reason covers."""
    found = {id(request) for request, *_ in differences}
    lines, faults = [], []
    for request, theirs, ours in differences:
        reason = REASONS[request.differs] if request.differs else None
        where, their, our = first_difference(theirs[2], ours[2])
        line = (
            f"{request}\n    MLflow {shown(theirs, their)}\n    Beira  {shown(ours, our)}"
            f"\n    at {where or 'the whole'}: {reason or 'NOT WANTED'}"
        )
        lines.append(line)
        if not reason:
            faults.append(line)
    for request in conversation:
        if request.differs and id(request) not in found:
            faults.append(f"{request}\n    is said to differ ({request.differs}) and does not")
    return lines, faults


def first_difference(theirs, ours, path=""):
    """Path of the first place where two bodies differ, and what stands there."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(theirs.keys() | ours.keys()):
            if theirs.get(key) != ours.get(key):
                return first_difference(theirs.get(key), ours.get(key), f"{path}.{key}")
    if isinstance(theirs, list) and isinstance(ours, list):
        for i, (their, our) in enumerate(zip(theirs, ours)):
            if their != our:
                return first_difference(their, our, f"{path}[{i}]")
        path = f"{path}[{min(len(theirs), len(ours))}:]"
        theirs, ours = theirs[len(ours) :], ours[len(theirs) :]
    return path, theirs, ours


def shown(answer, part):
    status, code, _ = answer
    return f"{status} {code or ''} {json.dumps(part, sort_keys=True)[:400]}"
