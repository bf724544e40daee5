"""Search of runs: every operator on every kind of thing, and what is no filter."""

from differential.request import POST


def search(differs=None, **fields):
    return POST("runs/search", {"experiment_ids": ["$one", "$two"], "max_results": 20} | fields, differs=differs)


# Ids and made-up names differ between the servers, so no pattern here may match one by chance.
TEXT = ["= 'x'", "!= 'x'", "LIKE 'edg%'", "ILIKE 'EDG%'", "like 'e_ge'", "IN ('edge', 'x')", "NOT IN ('edge')", "IS NULL", "IS NOT NULL", "> 'a'", "= 5", "= x", "RLIKE 'x'", "== 'x'", "<> 'x'"]
NUMBER = ["= 0.5", "!= 0.5", "> 0.1", ">= .5", "< 1e3", "<= -1e-3", "= '1'", "LIKE '1'", "IN (1, 2)", "IS NULL", "== 1", "<> 1", "> abc", ">"]
STRINGS = ["params.depth", "param.depth", "tags.team", "tag.`team`", 'tags."team"', "status", "attributes.run_name", "run_id", "attr.user_id", "artifact_uri", "dataset.name", "datasets.digest", "dataset.context"]
NUMBERS = ["metrics.acc", "metric.loss", "metrics.`acc`", "start_time", "attributes.end_time", "metrics.nan"]
ODD = [
    "metrics.a-b = 1", "metrics.acc > 0 AND params.depth = '3'", "metrics.acc > 0 and tags.team = 'edge' AND status = 'FAILED'",
    "metrics.acc > 0 AND", "AND metrics.acc > 0", "metrics.acc > 0 AND AND params.depth = '3'", "metrics.acc > 0; status = 'x'",
    "1 < metrics.acc", "nothing.a = 'x'", "nothing = 'x'", "params.depth = 'it''s'", "params.depth = 'open", "tags.mlflow.runName = ''",
    "run_id IN ()", "run_id IN ('$run'", "run_id IN ('$run')", "run_id NOT IN ('$run')", "run_id = '$run'", "metrics.acc BETWEEN 0 AND 1", "dataset.nothing = 'x'",
    "Created > 0", "`run name` = 'x'", "experiment_id = '1'", "lifecycle_stage = 'active'",
]
WIDER = ["metrics.acc > 0 OR status = 'FAILED'", "(metrics.acc > 0)", "NOT status = 'FAILED'", "NOT (metrics.acc > 0 OR params.depth = '3')"]
ORDER = [["start_time"], ["start_time DESC"], ["metrics.acc"], ["metrics.acc DESC"], ["params.depth"], ["tags.team DESC"], ["status", "end_time DESC"], ["run_name asc"], ["metrics.`acc`"], ["nothing"], ["metrics"], ["metrics.acc SIDEWAYS"], ["a, b"], [""], ["dataset.name"]]

REQUESTS = [
    *[search(filter=f"{name} {rest}") for name in STRINGS for rest in TEXT],
    *[search(filter=f"{name} {rest}") for name in NUMBERS for rest in NUMBER],
    *[search(filter=text) for text in ODD],
    *[search(filter=text, differs="OR, NOT, parentheses") for text in WIDER],
    *[search(order_by=keys) for keys in ORDER],
    *[search(run_view_type=kind) for kind in ["ACTIVE_ONLY", "DELETED_ONLY", "ALL", 1, 2, 3]],
    search(filter="metrics. > 1", differs="no name"),
    search(filter="   ", differs="blank filter"),
    search(order_by=["start_time", "start_time"], differs="500"),
    search(run_view_type="SOME", differs="wrong type"),
    *[search(max_results=n) for n in [1, 50_000, 50_001, "2", "x"]],
    search(experiment_ids=[]),
    search(experiment_ids="0"),
    search(experiment_ids=["abc"]),
    search(experiment_ids=["4711"]),
    search(filter=5),
    search(order_by="start_time"),
    search(order_by=[5]),
    search(max_results=1, order_by=["start_time"]),
    POST("runs/search", {"experiment_ids": ["$one", "$two"], "max_results": 1}, save={"runpage": "next_page_token"}),
    search(max_results=1, page_token="$runpage"),
    search(max_results=1, page_token="$runpage", filter="status = 'RUNNING'", differs="another query"),
    search(page_token="?"),
    POST("runs/search", {}),
]
