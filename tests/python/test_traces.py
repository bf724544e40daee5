"""Traces by MLflow's own client: spans, errors, tags, runs, search; and spans in OTLP as other exporters send them."""

import gzip
import time

import mlflow
import pytest
import requests
from mlflow.entities import SpanType
from mlflow.exceptions import MlflowException
from mlflow.tracing.client import TracingClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

pytestmark = pytest.mark.parametrize("server", ["sqlite", "postgres"], indirect=True)


@mlflow.trace(span_type=SpanType.TOOL)
def double(x):
    return 2 * x


def test_spans_are_traced_read_back_and_found(client):
    experiment = mlflow.set_experiment("traced")
    with mlflow.start_run() as run:
        with mlflow.start_span("answer") as root:
            root.set_inputs({"question": "größer?", "n": 3})
            root.set_attribute("list", [1, 2.5, "x", None, {"a": True}])
            mlflow.update_current_trace(tags={"team": "edge"}, metadata={"version": "7"})
            with mlflow.start_span("inner", span_type=SpanType.RETRIEVER) as inner:
                inner.set_outputs(double(21))
            root.set_outputs("yes")
    with pytest.raises(ZeroDivisionError), mlflow.start_span("broken"):
        1 / 0
    mlflow.flush_trace_async_logging()

    trace = mlflow.get_trace(root.trace_id)
    assert trace.info.state.value == "OK" and trace.info.experiment_id == experiment.experiment_id
    assert trace.info.tags["team"] == "edge" and trace.info.tags["mlflow.traceName"] == "answer"
    assert trace.info.trace_metadata["version"] == "7"
    assert trace.info.trace_metadata["mlflow.sourceRun"] == run.info.run_id
    assert [span.name for span in trace.data.spans] == ["answer", "inner", "double"]
    first, second, third = trace.data.spans
    assert first.inputs == {"question": "größer?", "n": 3} and first.outputs == "yes"
    assert first.attributes["list"] == [1, 2.5, "x", None, {"a": True}]
    assert (second.span_type, third.span_type) == ("RETRIEVER", "TOOL")
    assert third.parent_id == second.span_id and second.parent_id == first.span_id
    assert third.inputs == {"x": 21} and third.outputs == 42
    assert first.end_time_ns - first.start_time_ns >= third.end_time_ns - third.start_time_ns > 0

    traces = mlflow.search_traces(return_type="list")
    assert [trace.info.tags["mlflow.traceName"] for trace in traces] == ["broken", "answer"]
    broken = traces[0]
    assert broken.info.state.value == "ERROR" and broken.data.spans[0].events[0].name == "exception"
    for filter, expected in [
        ("tags.team = 'edge'", ["answer"]),
        ("trace.status = 'ERROR'", ["broken"]),
        ("trace.name = 'answer'", ["answer"]),
        ("metadata.version = '7'", ["answer"]),
        ("span.type = 'TOOL'", ["answer"]),
        ("trace.text LIKE '%größer%'", ["answer"]),
        (f"trace.timestamp_ms > {int(time.time() * 1000)}", []),
    ]:
        found = mlflow.search_traces(filter_string=filter, return_type="list")
        assert [trace.info.tags["mlflow.traceName"] for trace in found] == expected, filter
    assert len(mlflow.search_traces(run_id=run.info.run_id)) == 1
    assert len(mlflow.search_traces(max_results=1)) == 1
    table = mlflow.search_traces(order_by=["timestamp_ms ASC"])
    assert list(table["trace_id"]) == [root.trace_id, broken.info.trace_id]


def test_traces_are_tagged_linked_and_deleted(client, server):
    mlflow.set_experiment("kept")
    ids = []
    for i in range(5):
        with mlflow.start_span(f"span {i}") as span:
            ids.append(span.trace_id)
    mlflow.flush_trace_async_logging()
    client.set_trace_tag(ids[0], "k", "v")
    assert mlflow.get_trace(ids[0]).info.tags["k"] == "v"
    client.delete_trace_tag(ids[0], "k")
    assert "k" not in mlflow.get_trace(ids[0]).info.tags
    fixed = {"key": "mlflow.trace.spansLocation", "value": "elsewhere"}
    answer = requests.patch(f"{server.url}/api/2.0/mlflow/traces/{ids[0]}/tags", json=fixed, timeout=5)
    assert answer.status_code == 400 and "immutable" in answer.json()["message"]
    run = client.create_run(mlflow.get_experiment_by_name("kept").experiment_id)
    client.link_traces_to_run(ids[:2], run.info.run_id)
    assert len(mlflow.search_traces(run_id=run.info.run_id)) == 2
    experiment = run.info.experiment_id
    assert client.delete_traces(experiment, trace_ids=ids[:1]) == 1
    assert client.delete_traces(experiment, max_timestamp_millis=int(time.time() * 1000), max_traces=3) == 3
    assert len(mlflow.search_traces()) == 1
    assert mlflow.get_trace(ids[0]) is None
    with pytest.raises(MlflowException, match="not found"):
        TracingClient().get_trace_info(ids[0])


def test_other_exporters_send_protobuf_packed_or_not(client, server):
    experiment = client.create_experiment("exported")
    headers = {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": experiment}
    for number, encoding in enumerate([None, "gzip"], 1):
        export = ExportTraceServiceRequest()
        span = export.resource_spans.add().scope_spans.add().spans.add()
        span.trace_id, span.span_id, span.name = bytes(15) + bytes([number]), bytes(7) + b"\1", f"span {number}"
        span.start_time_unix_nano, span.end_time_unix_nano = 10**18, 10**18 + 5_000_000
        body = export.SerializeToString()
        packed = gzip.compress(body) if encoding else body
        more = {"Content-Encoding": encoding} if encoding else {}
        answer = requests.post(f"{server.url}/v1/traces", data=packed, headers=headers | more, timeout=5)
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/x-protobuf"
        trace = mlflow.get_trace(f"tr-{number:032x}")
        assert trace.data.spans[0].name == f"span {number}" and trace.info.execution_duration == 5
    bomb = gzip.compress(bytes(50 << 20))
    for data, more, status in [
        (b"\xff\xff", {}, 400),
        (b"no gzip", {"Content-Encoding": "gzip"}, 400),
        (bomb, {"Content-Encoding": "gzip"}, 413),
        (b"", {"Content-Encoding": "br"}, 400),
        (b"", {"Content-Type": "text/plain"}, 400),
    ]:
        assert requests.post(f"{server.url}/v1/traces", data=data, headers=headers | more, timeout=5).status_code == status
