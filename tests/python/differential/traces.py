"""Traces: begun by spans in OTLP or by MLflow's client, read, tagged, searched, deleted."""

from differential.request import DELETE, GET, PATCH, POST

TRACES = "/api/3.0/mlflow/traces"
OTLP = {"x-mlflow-experiment-id": "$one"}
INFO = {
    "trace_id": "tr-said",
    "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "$one"}},
    "request_time": "2024-02-29T12:34:56.789Z",
    "execution_duration": "1.500s",
    "state": "OK",
    "request_preview": "in",
    "response_preview": "out",
    "client_request_id": "c1",
    "trace_metadata": {"version": "7", "mlflow.sourceRun": "$run"},
    "tags": {"team": "edge", "mlflow.traceName": "said"},
}


# Where nobody looks later: for what one of the servers takes and the other does not.
ASIDE = {"trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}}


def said(differs=None, **changes):
    return POST(TRACES, {"trace": {"trace_info": INFO | changes}}, differs=differs)


def exported(spans, differs=None, headers=OTLP, **resource):
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
    return POST("/v1/traces", body, headers=headers, differs=differs)


def search(filter="", differs=None, **more):
    locations = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "$one"}}]
    return POST(f"{TRACES}/search", {"locations": locations, "filter": filter} | more, differs=differs)


def span(number, parent=None, attributes=(), **more):
    ids = {"traceId": "000102030405060708090a0b0c0d0e0f", "spanId": f"{number:016x}"}
    ids |= {"parentSpanId": f"{parent:016x}"} if parent else {}
    times = {"startTimeUnixNano": f"{10**18 + number * 10**9}", "endTimeUnixNano": f"{10**18 + 60 * 10**9}"}
    return ids | times | {"name": f"step {number}", "attributes": list(attributes)} | more


def text(key, value):
    return {"key": key, "value": {"stringValue": value}}


EXPORTED = "tr-000102030405060708090a0b0c0d0e0f"
FILTERS = [
    "", "trace.status = 'OK'", "status = 'ERROR'", "tags.team = 'edge'", "tag.team != 'edge'", "tags.none IS NULL", "tags.team IS NOT NULL",
    "metadata.version = '7'", "metadata.version LIKE '8%'", "request_metadata.version = '7'", "timestamp_ms > 1", "trace.timestamp < 5", "execution_time_ms = 1500",
    "name = 'said'", "trace.name ILIKE 'SAI%'", "run_id = '$run'", "run_id = 'x'", "request_id = 'tr-said'", "request_id IN ('tr-said')", "client_request_id = 'c1'",
    "span.name = 'step 2'", "span.status = 'ERROR'", "span.type = 'LLM'", "span.content LIKE '%step 2%'", "trace.text LIKE '%nowhere%'", "trace.end_time_ms > 5",
    "nothing = 'x'", "span.nothing = 'x'", "metrics.a > 1", "status > 'OK'", "tags.team", "team.x = 'y'",
]  # fmt: skip

REQUESTS = [
    exported([span(2, 1, status={"code": 2, "message": "bad"})], "JSON for JSON", attributes=[text("service.name", "shop"), text("telemetry.sdk.name", "x")]),
    GET(f"{TRACES}/{EXPORTED}"),
    exported([span(1, attributes=[text("mlflow.spanType", "LLM"), text("mlflow.traceTag.team", "edge"), text("mlflow.spanInputs", "question")])], "JSON for JSON"),
    GET(f"{TRACES}/{EXPORTED}"),
    exported([], headers={}, differs="no experiment in OTLP"),
    exported([span(1, traceId="f" * 32)], headers={"x-mlflow-experiment-id": "4711"}),
    exported([{"name": "x"}], differs="no ids"),
    POST("/v1/traces", {}, headers=OTLP, differs="words of FastAPI"),
    POST("/v1/traces", raw="{", headers=OTLP, differs="words of FastAPI"),
    said(), said(request_preview="again", execution_duration="2s"), said(trace_id="tr-other", state="ERROR", tags={}, trace_metadata={}, request_time="2024-02-29T12:34:57Z"),
    said(**ASIDE, trace_id="tr-bad", request_time="yesterday", differs="wrong type"), said(**ASIDE, trace_id="tr-bad", execution_duration="soon", differs="wrong type"),
    said(**ASIDE, trace_id="tr-bad", state="FINE", differs="wrong type"), said(**ASIDE, trace_id="a/b", differs="climbing location"),
    said(trace_id="tr-none", trace_location={"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "4711"}}),
    POST(TRACES, {}), GET(f"{TRACES}/tr-said"), GET(f"{TRACES}/tr-nobody"),
    GET(f"{TRACES}/get", {"trace_id": "tr-nobody"}), GET(f"{TRACES}/get"),
    POST(f"{TRACES}/batchGetInfos", {"trace_ids": ["tr-said", "tr-nobody", EXPORTED]}), POST(f"{TRACES}/batchGetInfos", {}),
    *[search(filter) for filter in FILTERS], search("timestamp_ms > 'x'", differs="text for a number"),
    *[search(order_by=[order]) for order in ["timestamp_ms ASC", "execution_time DESC", "status", "name", "tags.team", "metadata.version DESC", "nothing"]],
    search(max_results=1), search(max_results=501), search(max_results=0), search(page_token="?"), POST(f"{TRACES}/search", {}),
    PATCH(f"{TRACES}/tr-said/tags", {"key": "k", "value": "v"}), PATCH("/api/2.0/mlflow/traces/tr-said/tags", {"key": "k", "value": "w"}),
    PATCH(f"{TRACES}/tr-said/tags", {}), PATCH(f"{TRACES}/tr-nobody/tags", {"key": "k", "value": "v"}, differs="no trace"), PATCH(f"{TRACES}/tr-said/tags", {"key": "mlflow.trace.spansLocation", "value": "x"}),
    GET(f"{TRACES}/tr-said"), DELETE(f"{TRACES}/tr-said/tags", {"key": "k"}), DELETE(f"{TRACES}/tr-said/tags", {"key": "k"}),
    POST("traces/link-to-run", {"trace_ids": ["tr-other"], "run_id": "$run"}), search("run_id = '$run'"), POST("traces/link-to-run", {"run_id": "$run"}),
    POST("traces/link-to-run", {"trace_ids": [f"t{i}" for i in range(101)], "run_id": "$run"}),
    POST("traces/delete-traces", {"experiment_id": "$one"}), POST("traces/delete-traces", {"experiment_id": "$one", "request_ids": ["tr-said"], "max_timestamp_millis": 5}),
    POST("traces/delete-traces", {"experiment_id": "$one", "request_ids": ["tr-said", "tr-nobody"]}), POST(f"{TRACES}/delete-traces", {"experiment_id": "$one", "max_timestamp_millis": 5}),
    search(),
]  # fmt: skip
