"""The tracking server beside MLflow's, or alone over growing tables: the same calls of the REST API for both.

  tracking.py beside FOLDER BEIRA     the two in turns, medians of the rounds and ratios
  tracking.py alone FOLDER BEIRA      cost over size: runs up to 100,000, points of one metric up to 10 million

Both keep SQLite in FOLDER and listen on loopback; MLflow is the one of this Python, as `mlflow server` starts it. A median
is of single calls over one kept connection; `p99` is the slowest of a hundred. Memory is the resident set of the server and
its children after the load. One client in Python costs about 0.1 ms a call, for either server.
"""

import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

API = "/api/2.0/mlflow"
CLIENTS = 16
ROUNDS = 3
MLFLOW = Path(sys.executable).parent / "mlflow"


class Server:
    """A server of the measurement; `start` is the seconds from exec to its first answer."""

    def __init__(self, command):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        began = time.monotonic()
        self.process = subprocess.Popen([*map(str, command), "--port", str(self.port)], start_new_session=True, **quiet)
        while True:
            assert self.process.poll() is None, f"{command[0]} ended at once"
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    break
            except OSError:
                time.sleep(0.002)
        self.start = time.monotonic() - began

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, 15)
        self.process.wait(timeout=60)

    def client(self):
        return Client(self.port)

    def megabytes(self):
        """Resident memory of the process and all it started."""
        of = {int(p.name): parent(p) for p in Path("/proc").iterdir() if p.name.isdigit()}
        tree, grown = {self.process.pid}, True
        while grown:
            more = {pid for pid, up in of.items() if up in tree} - tree
            grown, tree = bool(more), tree | more
        return sum(resident(pid) for pid in tree) / 1024


def parent(process):
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def resident(pid):
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


class Client:
    """One kept connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def call(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        try:
            response = self.ask(method, path, text)
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            self.connection.close()  # servers close what was idle; the next request opens it again
            response = self.ask(method, path, text)
        answer = response.read()
        assert response.status == 200, f"{method} {path}: {response.status} {answer[:300]}"
        return json.loads(answer or b"{}")

    def ask(self, method, path, text):
        self.connection.request(method, path, body=text, headers={"Content-Type": "application/json"})
        return self.connection.getresponse()

    def post(self, path, **body):
        return self.call("POST", API + path, body)

    def get(self, path, prefix=API, **query):
        return self.call("GET", f"{prefix}{path}?{urllib.parse.urlencode(query, doseq=True)}")

    def experiment(self, name):
        return self.post("/experiments/create", name=name)["experiment_id"]

    def run(self, experiment):
        return self.post("/runs/create", experiment_id=experiment, start_time=0)["run"]["info"]["run_id"]


def milliseconds(call, count):
    """Median and p99 of `count` calls."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - began))
    times.sort()
    return times[count // 2], times[int(0.99 * count)]


def points(client, run, first, count):
    """Logs `count` points of one metric in batches of a thousand."""
    for start in range(first, first + count, 1000):
        batch = [{"key": "loss", "value": i / 2, "timestamp": i, "step": i} for i in range(start, start + 1000)]
        client.post("/runs/log-batch", run_id=run, metrics=batch)


def runs(server, experiment, first, count, metrics):
    """Creates finished runs with parameters, tags and metrics from all clients at once."""

    def some(client):
        mine = server.client()
        for i in range(first + client, first + count, CLIENTS):
            run = mine.run(experiment)
            values = [{"key": f"m{m}", "value": (31 * i + 7 * m) % 97 / 97, "timestamp": i, "step": 0} for m in range(metrics)]
            params = [{"key": f"p{p}", "value": str((i + p) % 10)} for p in range(10)]
            tags = [{"key": f"t{t}", "value": "v"} for t in range(3)]
            mine.post("/runs/log-batch", run_id=run, metrics=values, params=params, tags=tags)
            mine.post("/runs/update", run_id=run, status="FINISHED", end_time=i)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(some, range(CLIENTS)))


def history(client, run):
    """Reads a whole history page by page; how many points there were."""
    query, read = {"run_id": run, "metric_key": "loss", "max_results": 25000}, 0
    while True:
        page = client.get("/metrics/get-history", **query)
        read += len(page.get("metrics", []))
        if not page.get("next_page_token"):
            return read
        query["page_token"] = page["next_page_token"]


def filtered(client, experiment):
    chosen = {"filter": "metrics.m1 > 0.5 and params.p1 = '3'", "order_by": ["metrics.m2 DESC"], "max_results": 100}
    return client.post("/runs/search", experiment_ids=[experiment], **chosen)


def measure(server, n_points=100_000, n_runs=1600):
    """The load of the comparison; what it came to, by name."""
    client = server.client()
    experiment = client.experiment("bench")
    run, steps = client.run(experiment), iter(range(10**6))

    def log():
        step = next(steps)
        client.post("/runs/log-metric", run_id=run, key="loss", value=1 / (1 + step), timestamp=step, step=step)

    def rate(work, count):
        began = time.perf_counter()
        work()
        return count / (time.perf_counter() - began)

    found = {"start": server.start}
    found["log_metric"], found["log_metric_p99"] = milliseconds(log, 300)
    long = client.run(experiment)
    found["log_batch"] = rate(lambda: points(client, long, 0, n_points), n_points)
    assert history(client, long) == n_points
    found["history"] = rate(lambda: history(client, long), n_points)
    found["runs"] = rate(lambda: runs(server, experiment, 0, n_runs, 10), n_runs)
    found["search"], _ = milliseconds(lambda: filtered(client, experiment), 20)
    found["list"], _ = milliseconds(
        lambda: client.post("/runs/search", experiment_ids=[experiment], max_results=1000), 10
    )
    found["memory"] = server.megabytes()
    return found


# Name, unit, digits, whether less is better, goal as a ratio or an absolute number of ours.
LINES = [
    ("log_metric", "log_metric, median, ms", 2, True, "1/50"),
    ("log_metric_p99", "log_metric, p99, ms", 2, True, ""),
    ("log_batch", "log_batch, points a second", 0, False, "50×"),
    ("history", "metric history, points a second", 0, False, "30×"),
    ("runs", "runs created by 16 clients, a second", 0, False, "50×"),
    ("search", "filtered search of 1,600 runs, ms", 2, True, "1/20"),
    ("list", "list of 1,000 runs, ms", 1, True, "1/20"),
    ("start", "start, s", 2, True, "0.3 s"),
    ("memory", "memory after the load, MB", 0, True, "60 MB"),
]


def beira(program, folder):
    return [program, "serve", "--db", folder / "beira.db", "--artifacts", folder / "artifacts"]


def mlflow(folder):
    return [MLFLOW, "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", folder]


def beside(folder, program):
    found = {"MLflow": [], "Beira": []}
    for round in range(1, ROUNDS + 1):
        place = folder / str(round)
        place.mkdir()
        for name, command in [("MLflow", mlflow(place)), ("Beira", beira(program, place))]:
            print(f"round {round} of {ROUNDS}: {name} …", flush=True)
            with Server(command) as server:
                found[name].append(measure(server))
    print(f"\n{f'medians of {ROUNDS} rounds':40} {'MLflow':>12} {'Beira':>12}    ratio     goal")
    for key, what, digits, less, goal in LINES:
        theirs, ours = (statistics.median(one[key] for one in found[name]) for name in ("MLflow", "Beira"))
        ratio = f"1/{theirs / ours:.1f}" if less else f"{ours / theirs:.1f}×"
        print(f"{what:40} {theirs:12,.{digits}f} {ours:12,.{digits}f} {ratio:>8} {goal:>8}")


def alone(server):
    client = server.client()
    experiment = client.experiment("many runs")
    print("| runs, 20 metrics each | created a second | filtered search, p50 and p99, ms | list of 1,000, p50 and p99, ms | memory, MB |")
    print("|---|---|---|---|---|")
    have = 0
    for size in (1_000, 10_000, 100_000):
        began = time.perf_counter()
        runs(server, experiment, have, size - have, 20)
        rate, have = (size - have) / (time.perf_counter() - began), size
        search = milliseconds(lambda: filtered(client, experiment), 100)
        listed = milliseconds(lambda: client.post("/runs/search", experiment_ids=[experiment], max_results=1000), 50)
        shown = [f"{a:.1f}, {b:.1f}" for a, b in (search, listed)]
        print(f"| {size:,} | {rate:,.0f} | {shown[0]} | {shown[1]} | {server.megabytes():.0f} |", flush=True)
    run = client.run(client.experiment("one long run"))
    print("\n| points of one metric | logged a second | sampled history, p50 and p99, ms | whole history, points a second | memory, MB |")
    print("|---|---|---|---|---|")
    have = 0
    for size in (10_000, 100_000, 1_000_000, 10_000_000):
        began = time.perf_counter()
        points(client, run, have, size - have)
        rate, have = (size - have) / (time.perf_counter() - began), size
        query = {"run_ids": run, "metric_key": "loss", "max_results": 320}
        bulk = "/metrics/get-history-bulk-interval"
        sampled = milliseconds(lambda: client.get(bulk, "/ajax-api/2.0/mlflow", **query), 100)
        began = time.perf_counter()
        assert history(client, run) == size
        whole = size / (time.perf_counter() - began)
        shown = f"{sampled[0]:.1f}, {sampled[1]:.1f}"
        print(f"| {size:,} | {rate:,.0f} | {shown} | {whole:,.0f} | {server.megabytes():.0f} |", flush=True)


if __name__ == "__main__":
    what, folder, program = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if what == "beside":
        beside(folder, program)
    else:
        with Server(beira(program, folder)) as server:
            alone(server)
    shutil.rmtree(folder)
