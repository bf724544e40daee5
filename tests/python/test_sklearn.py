"""scikit-learn's models answer as onnxruntime does: 500 rows, to 1e-5, labels exactly."""

import json

import numpy as np
import onnxruntime
import pytest

from sklearn_models import MODELS, export


@pytest.mark.parametrize("name", MODELS)
def test_agrees_with_onnxruntime(name, beira, tmp_path):
    onnx, rows = export(name)
    (tmp_path / "model.onnx").write_bytes(onnx)
    beira("compile", tmp_path / "model.onnx", "-o", tmp_path / "model.wasm")
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    (feature,) = session.get_inputs()
    expected = dict(zip([out.name for out in session.get_outputs()], session.run(None, {feature.name: rows})))

    tensor = {"name": feature.name, "shape": list(rows.shape), "datatype": "FP32", "data": [float(v) for v in rows.ravel()]}
    answer = json.loads(beira("predict", tmp_path / "model.wasm", "--input", "-", input=json.dumps({"inputs": [tensor]})))
    for output in answer["outputs"]:
        got = np.array(output["data"]).reshape(output["shape"])
        want = expected[output["name"]]
        assert got.shape == want.shape
        if want.dtype.kind == "f":
            assert np.abs(got - want).max() <= 1e-5
        else:
            assert (got == want).all()
    assert {output["name"] for output in answer["outputs"]} == set(expected)


def test_records_are_answered_in_kind(beira, tmp_path):
    onnx, rows = export("logistic_regression")
    (tmp_path / "model.onnx").write_bytes(onnx)
    names = [f"f{i}" for i in range(30)]
    beira("compile", tmp_path / "model.onnx", "-o", tmp_path / "model.wasm", "--columns", "X=" + ",".join(names))
    record = dict(zip(names, map(float, rows[0])))
    one = json.loads(beira("predict", tmp_path / "model.wasm", "--input", "-", input=json.dumps(record)))
    two = json.loads(beira("predict", tmp_path / "model.wasm", "--input", "-", input=json.dumps([record, record])))
    assert two == [one, one]
    del record["f3"]
    record["f4"], record["f99"] = "high", 1.0
    faults = beira("predict", tmp_path / "model.wasm", "--input", "-", input=json.dumps(record), fails=True)
    assert "3 faults" in faults and "f3" in faults and "f4" in faults and "f99" in faults and "high" not in faults


def test_a_damaged_module_is_refused(beira, tmp_path):
    onnx, _ = export("logistic_regression")
    (tmp_path / "model.onnx").write_bytes(onnx)
    beira("compile", tmp_path / "model.onnx", "-o", tmp_path / "model.wasm")
    whole = (tmp_path / "model.wasm").read_bytes()
    (tmp_path / "model.wasm").write_bytes(whole[: len(whole) // 2])
    assert "model.wasm" in beira("predict", tmp_path / "model.wasm", "--input", "-", input="[]", fails=True)


def test_an_unsupported_operator_is_named(beira, tmp_path):
    from onnx import TensorProto, helper

    node = helper.make_node("Det", ["x"], ["y"], name="volume")
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)  # noqa: E731
    graph = helper.make_graph([node], "g", [value("x", [None, 2, 2])], [value("y", [None])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    error = beira("compile", tmp_path / "model.onnx", "-o", tmp_path / "model.wasm", fails=True)
    assert "Det" in error and "volume" in error
