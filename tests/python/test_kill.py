"""SIGKILL while many write, PostgreSQL gone in the middle, a replica gone: no acknowledged metric is lost."""

import os
import random
import subprocess
import time

import pytest
import requests

from conftest import Server, free_port
from trainers import Trainers, create_run

NGINX = os.environ.get("BEIRA_NGINX", "/usr/sbin/nginx")


@pytest.mark.parametrize("server", ["sqlite", "postgres"], indirect=True)
def test_no_acknowledged_metric_is_lost(server):
    run = create_run(server.url)
    for kill in range(int(os.environ.get("BEIRA_KILLS", "3"))):
        trainers = Trainers(server.url, run, 16, f"-{kill}")
        time.sleep(0.3 + random.random() * 0.5)
        server.kill()
        trainers.stop()
        server.start()
        assert trainers.count() > 10
        trainers.check(server.url)


def test_postgres_goes_and_comes_back(own_postgres, tmp_path):
    server = Server(tmp_path, own_postgres.database()).start()
    trainers = Trainers(server.url, create_run(server.url), 8)
    for _ in range(2):
        time.sleep(0.7)
        assert own_postgres.say("stop") == "stopped"
        answer = requests.get(f"{server.url}/api/2.0/mlflow/experiments/get?experiment_id=0", timeout=30)
        assert answer.status_code == 503
        assert answer.json() == {
            "error_code": "TEMPORARILY_UNAVAILABLE",
            "message": "The server's database cannot be reached at the moment; try again.",
        }
        assert own_postgres.say("start") == "started"
        before, end = trainers.count(), time.monotonic() + 10
        while trainers.count() < before + 50:
            assert time.monotonic() < end, "the server did not find PostgreSQL again"
            time.sleep(0.05)
    trainers.stop()
    assert {status for status, _ in trainers.refusals} <= {503}
    trainers.check(server.url)
    server.stop()


def test_three_replicas_and_one_is_killed(postgres, tmp_path):
    database = postgres.database()
    # All three at once: one makes the tables, the others wait for it.
    replicas = [Server(tmp_path, database) for _ in range(3)]
    for replica in replicas:
        replica.spawn()
    for replica in replicas:
        replica.wait()
    port = free_port()
    upstream = "".join(f"server 127.0.0.1:{replica.port} max_fails=1 fail_timeout=1s;" for replica in replicas)
    (tmp_path / "nginx.conf").write_text(
        f"""daemon off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/nginx.log; worker_processes 1;
        events {{}}
        http {{
            access_log off; client_body_temp_path {tmp_path}; proxy_temp_path {tmp_path}; fastcgi_temp_path {tmp_path};
            uwsgi_temp_path {tmp_path}; scgi_temp_path {tmp_path};
            upstream beira {{ {upstream} }}
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://beira; proxy_set_header Host $host; proxy_connect_timeout 2s; }}
            }}
        }}"""
    )
    nginx = subprocess.Popen([NGINX, "-c", tmp_path / "nginx.conf", "-p", tmp_path])
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(100):
            try:
                requests.get(f"{url}/health", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        trainers = Trainers(url, create_run(url), 12)
        time.sleep(1.5)
        replicas[0].kill()
        before = trainers.count()
        time.sleep(1.5)
        trainers.stop()
        assert before > 50 and trainers.count() > before + 50, "the other two go on"
        assert {status for status, _ in trainers.refusals} <= {502, 504}, "what nginx says of the killed one alone"
        for replica in replicas[1:]:
            trainers.check(replica.url)
    finally:
        nginx.terminate()
        nginx.wait()
    for replica in replicas[1:]:
        replica.stop()
