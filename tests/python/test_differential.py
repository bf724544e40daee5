"""Beira answers as MLflow 3.17.2 does, but for the differences in `differential/wanted.py`."""

from differential.conversation import CONVERSATION
from differential.engine import MLflow, compare, judge


def test_the_same_answers_as_mlflow_but_for_the_wanted_differences(server, tmp_path, say):
    folder = tmp_path / "mlflow"
    folder.mkdir()
    mlflow = MLflow(folder)
    try:
        mlflow.wait()
        differences = compare(CONVERSATION, mlflow.url, server.url)
    finally:
        mlflow.stop()
    lines, faults = judge(differences, CONVERSATION)
    say(f"{len(CONVERSATION)} requests, {len(lines)} differences:", *lines)
    assert len(CONVERSATION) >= 500
    assert not faults, "\n".join(faults)
