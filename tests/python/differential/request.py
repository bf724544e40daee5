"""How a request is written down: `POST("runs/create", {"experiment_id": "$one"}, save={"run": "run.info.run_id"})`."""

from dataclasses import dataclass, field

ROOT = "/api/2.0/mlflow/"


@dataclass
class Request:
    """One request. `$name` stands for what an earlier answer saved; a path without a slash at its start is MLflow's."""

    method: str
    path: str
    json: object = None
    query: object = None
    raw: bytes | str | None = None
    headers: dict = field(default_factory=dict)
    save: dict = field(default_factory=dict)
    differs: str | None = None

    @property
    def url(self):
        return self.path if self.path.startswith("/") else ROOT + self.path

    def __str__(self):
        sent = self.raw if self.raw is not None else self.json if self.json is not None else self.query
        return f"{self.method} {self.path} {str(sent)[:200]}"


def GET(path, query=None, **more):
    return Request("GET", path, query=query, **more)


def POST(path, json=None, **more):
    return Request("POST", path, json=json, **more)


def PATCH(path, json=None, **more):
    return Request("PATCH", path, json=json, **more)


def DELETE(path, json=None, **more):
    return Request("DELETE", path, json=json, **more)
