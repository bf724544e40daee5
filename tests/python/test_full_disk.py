"""A full disk: what was acknowledged stays, what is not kept is refused in words, and room makes all well again."""

import os
import subprocess

import pytest
import requests

from conftest import Server
from trainers import TIME, create_run


def as_root(*command):
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run([*sudo, *command], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """Gives a folder on a file system of a few megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    as_root("mount", "-t", "tmpfs", "-o", "size=6m,mode=0777", "tmpfs", folder)
    yield folder
    as_root("umount", "--lazy", folder)


def test_nothing_acknowledged_is_lost_on_a_full_disk(small_disk):
    server = Server(small_disk).start()
    run = create_run(server.url)
    acknowledged, refusals = [], []

    def log(step):
        body = {"run_id": run, "params": [{"key": f"p{step}.{i}", "value": f"{step}" * 400} for i in range(10)]}
        body["metrics"] = [{"key": "loss", "value": step / 7, "timestamp": TIME + step, "step": step}]
        answer = requests.post(f"{server.url}/api/2.0/mlflow/runs/log-batch", json=body, timeout=30)
        (acknowledged if answer.status_code == 200 else refusals).append((step, answer))

    step = 0
    while len(refusals) < 5:
        assert step < 5000, "the disk was to be full by now"
        log(step)
        step += 1
    for _, answer in refusals:
        assert answer.status_code == 507, answer.text
        assert answer.json()["message"] == "The disk of the server's database is full; nothing of the request was kept."
    assert kept(server.url, run) == {step for step, _ in acknowledged}

    as_root("mount", "-o", "remount,size=32m", small_disk)
    log(step)
    assert acknowledged[-1][0] == step, "with room it goes on without a restart"
    server.kill()
    server.start()
    assert kept(server.url, run) == {step for step, _ in acknowledged}
    server.stop()


def kept(url, run):
    query = {"run_id": run, "metric_key": "loss"}
    answer = requests.get(f"{url}/api/2.0/mlflow/metrics/get-history", params=query, timeout=30)
    return {point["step"] for point in answer.json()["metrics"]}
