"""Writers that note down what was acknowledged, and what a server must have kept of it."""

import threading
import time

import requests

TIME = 1_700_000_000_000


def create_run(url):
    answer = requests.post(f"{url}/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["run"]["info"]["run_id"]


class Trainers:
    """Threads that log a metric each, step after step, whatever happens to the server. A step that was not
    acknowledged is sent again, as MLflow's client does."""

    def __init__(self, url, run, count, pad=""):
        self.url, self.run, self.pad = url, run, pad
        self.acknowledged = [[] for _ in range(count)]
        self.refusals = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._train, args=(i,)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def _train(self, i):
        session = requests.Session()
        step = 0
        while not self.over.is_set():
            point = {"key": f"loss{i}{self.pad}", "value": step / 7, "timestamp": TIME + step, "step": step}
            try:
                body = {"run_id": self.run, **point}
                answer = session.post(f"{self.url}/api/2.0/mlflow/runs/log-metric", json=body, timeout=10)
            except requests.RequestException:
                time.sleep(0.02)
                continue
            if answer.status_code == 200:
                self.acknowledged[i].append(step)
                step += 1
            else:
                self.refusals.append((answer.status_code, answer.json()["error_code"] if answer.content[:1] == b"{" else ""))
                time.sleep(0.02)

    def count(self):
        return sum(map(len, self.acknowledged))

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def check(self, url):
        """Every acknowledged point is there, with the value it was sent with, and once."""
        for i, steps in enumerate(self.acknowledged):
            query = {"run_id": self.run, "metric_key": f"loss{i}{self.pad}"}
            answer = requests.get(f"{url}/api/2.0/mlflow/metrics/get-history", params=query, timeout=60)
            kept = [(point["step"], point["value"]) for point in answer.json().get("metrics", [])]
            assert len(kept) == len(set(kept)), "a point stands twice"
            assert {(step, step / 7) for step in steps} <= set(kept)
