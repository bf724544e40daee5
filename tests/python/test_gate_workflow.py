"""The commands of .github/workflows/gate.yml and gate-comment.yml, as a runner calls them."""

import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import conftest

BEIRA = Path(conftest.BEIRA).resolve()
ROOT = Path(__file__).parents[2]
PIPELINE = "examples/wine-quality/pipeline.yaml"
POLICY = "examples/wine-quality/gate.yaml"


def run(arguments, folder, **variables):
    """Runs `beira` in a copy of what the workflow has checked out; answers exit code, output, errors."""
    environment = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run([BEIRA, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def checkout(tmp_path):
    """The files that the workflow reads, and those of the base beside them."""
    for root in (tmp_path, tmp_path / "target/base"):
        for name in (PIPELINE, POLICY):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text((ROOT / name).read_text())
    return tmp_path


def pull_request(checkout, **variables):
    return run(
        ["gate", "--candidate", PIPELINE, "--champion", f"target/base/{PIPELINE}", "--policy", f"target/base/{POLICY}",
         "--out", "target/gate", "--accept", "hold"], checkout, **variables)


def test_the_gate_of_a_pull_request(checkout):
    summary, output = checkout / "summary.md", checkout / "output"
    code, text, error = pull_request(checkout, GITHUB_STEP_SUMMARY=str(summary), GITHUB_OUTPUT=str(output))
    assert code == 0, error
    assert "## Gate: HOLD" in summary.read_text(), "the same pipeline is no improvement"
    assert output.read_text().startswith("verdict=HOLD\nreason=no improvement")
    # A pull request that makes the model worse: the check fails, and says why.
    (checkout / PIPELINE).write_text(
        (ROOT / PIPELINE).read_text() + "learners: {boosting: {rounds: 1, depth: 1, learning_rate: 0.01}}\n")
    code, text, error = pull_request(checkout)
    assert code == 20, error
    assert "auc is worse" in text or "floor" in text or "auc of the candidate is" in text


def test_the_gate_on_main(checkout, server, client):
    variables = {"MLFLOW_TRACKING_URI": server.url, "GITHUB_OUTPUT": str(checkout / "output")}
    gate = ["gate", "--candidate", "models:/wine-quality/latest", "--policy", POLICY, "--out", "target/gate",
            "--promote", "--accept", "hold,reject"]
    for verdict in ("PROMOTE", "HOLD"):  # the first deployment, then the same model again
        code, _, error = run(["train", PIPELINE], checkout, **variables)
        assert code == 0, error
        (checkout / "output").write_text("")
        code, text, error = run(gate, checkout, **variables)
        assert code == 0 and f"## Gate: {verdict}" in text, text + error
        assert f"verdict={verdict}" in (checkout / "output").read_text()
    assert client.get_model_version_by_alias("wine-quality", "champion").version == "1"


class GitHub:
    """The part of GitHub's REST API that one comment needs."""

    def __init__(self):
        self.comments, self.asked = [], []
        github = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, value, status=200):
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle_one(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or "null")
                github.asked.append((self.command, self.path))
                if self.headers["Authorization"] != "Bearer of a token":
                    return self.answer({"message": "Bad credentials"}, 401)
                root, _, query = self.path.partition("?")
                if root == "/repos/o/r/pulls":
                    mine = "head=fork%3Afeature%2Fone" in query
                    return self.answer([{"number": 5, "head": {"sha": "old"}}, {"number": 7, "head": {"sha": "abc"}}] if mine else [])
                if self.command == "GET":
                    page = int(query.rsplit("page=", 1)[1])
                    return self.answer(github.comments[100 * (page - 1):100 * page])
                if self.command == "POST":
                    assert root == "/repos/o/r/issues/7/comments"
                    github.comments.append({"id": 900 + len(github.comments), "user": {"login": "github-actions[bot]"}, **body})
                    return self.answer({"html_url": "https://example.test/new"}, 201)
                comment = next(c for c in github.comments if root == f"/repos/o/r/issues/comments/{c['id']}")
                comment.update(body)
                self.answer({"html_url": "https://example.test/old"})

            do_GET = do_POST = do_PATCH = handle_one

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def test_one_comment(checkout):
    assert pull_request(checkout)[0] == 0
    github = GitHub()
    # Another's comment with our marker, and enough of them for a second page.
    github.comments = [{"id": k, "user": {"login": "somebody"}, "body": "<!-- beira-gate -->"} for k in range(120)]
    event = checkout / "event.json"
    event.write_text(json.dumps({"workflow_run": {
        "head_sha": "abc", "head_branch": "feature/one", "pull_requests": [],
        "head_repository": {"owner": {"login": "fork"}}}}))
    variables = {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "of a token",
                 "GITHUB_EVENT_PATH": str(event)}
    comment = ["gate", "comment", "--report", "target/gate"]

    code, text, error = run(comment, checkout, **variables)
    assert (code, text) == (0, "https://example.test/new\n"), error
    assert len(github.comments) == 121 and "## Gate: HOLD" in github.comments[-1]["body"]

    # The next run: a report whose author wants to say more than a report may.
    report = checkout / "target/gate/report.json"
    value = json.loads(report.read_text())
    value["reason"] = "merge [me](https://evil.test) now, @everyone <img src=x>"
    value["guards"][0]["name"] = "module | `x` <b>"
    report.write_text(json.dumps(value))
    code, text, error = run(comment, checkout, **variables)
    assert (code, text) == (0, "https://example.test/old\n"), error
    body = github.comments[-1]["body"]
    assert len(github.comments) == 121 and body.startswith("<!-- beira-gate -->\n")
    assert "](" not in body.replace("\\](", "") and "<img" not in body and "@everyone" not in body and "<b>" not in body

    # A newer push has a run of its own; this one has nothing to say any more.
    event.write_text(event.read_text().replace('"abc"', '"gone"'))
    code, text, _ = run(comment, checkout, **variables)
    assert code == 0 and "nothing is written" in text and len(github.comments) == 121

    code, _, error = run(comment, checkout, **{**variables, "GITHUB_TOKEN": "wrong"})
    assert code == 1 and "401 Bad credentials" in error and "wrong" not in error
    report.write_text("{}")
    assert run(comment, checkout, **variables)[0] == 1
