"""SIGKILL during training: no acknowledged metric is lost."""

import threading
import time

import requests


def test_no_acknowledged_metric_is_lost(server):
    api = f"{server.url}/api/2.0/mlflow"
    run = requests.post(f"{api}/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"]
    for kill in range(3):
        acknowledged = []

        def train():
            step = 0
            while True:
                point = {"key": f"loss{kill}", "value": step / 7, "timestamp": 1_700_000_000_000 + step, "step": step}
                try:
                    answer = requests.post(f"{api}/runs/log-metric", json={"run_id": run, **point}, timeout=5)
                except requests.ConnectionError:
                    return
                if answer.status_code == 200:
                    acknowledged.append(point)
                step += 1

        trainer = threading.Thread(target=train)
        trainer.start()
        time.sleep(0.5)
        server.kill()
        trainer.join()
        server.start()
        assert len(acknowledged) > 10
        history = requests.get(f"{api}/metrics/get-history", params={"run_id": run, "metric_key": f"loss{kill}"}).json()
        kept = {(point["step"], point["value"]) for point in history["metrics"]}
        assert {(point["step"], point["value"]) for point in acknowledged} <= kept
