"""Makes the models of tests/models with the answers that onnxruntime gives for them.

    python -m venv venv && venv/bin/pip install "protobuf<7" onnx==1.22.0 onnxruntime scikit-learn skl2onnx numpy pandas
    venv/bin/python make_models.py

A case is JSON: inputs and outputs by name, each with shape and data in row-major order. A missing
number is null. A ZipMap's answer is the rows of its values. Models are trained on drawn rows, so
that nothing has to be fetched; they are small, since the files are in the repository.
"""

import json
import pathlib

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR

FOLDER = pathlib.Path(__file__).parent / "models"
ROWS = 25
OPSETS = {"": 17, "ai.onnx.ml": 3}
rng = np.random.default_rng(7)
X = rng.normal(size=(400, 6)).astype(np.float32)
BINARY = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(np.int64)
THREE = np.digitize(X[:, 0] - X[:, 3], [-0.7, 0.7])
NUMBER = X[:, 0] * 2 - X[:, 1] + np.sin(X[:, 4])


def tensor(values):
    values = np.asarray(values)
    if values.dtype.kind in "OUS":
        data = [str(v) for v in values.ravel()]
    elif values.dtype.kind == "f":
        data = [None if np.isnan(v) else float(v) for v in values.ravel()]
    else:
        data = [int(v) for v in values.ravel()]
    return {"shape": list(values.shape), "data": data}


def answer(name, value):
    """A ZipMap's sequence of maps as rows of values."""
    if isinstance(value, list):
        value = np.array([list(row.values()) for row in value], dtype=np.float32)
    return name, tensor(value)


def save(name, model, feeds):
    """Writes the model and its case."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs = [o.name for o in session.get_outputs()]
    case = {
        "inputs": {k: tensor(v) for k, v in feeds.items()},
        "outputs": dict(answer(n, v) for n, v in zip(outputs, session.run(outputs, feeds))),
    }
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())
    (FOLDER / f"{name}.json").write_text(json.dumps(case) + "\n")


def sklearn(name, estimator, target, table=X):
    """Fits and exports a scikit-learn estimator."""
    estimator.fit(table, target)
    options = {id(estimator): {"zipmap": False}} if hasattr(estimator, "predict_proba") else {}
    model = to_onnx(estimator, X[:1], target_opset=OPSETS, options=options)
    save(name, model, {"X": table[:ROWS]})


def hand_made(name, nodes, inputs, outputs, feeds, initializers=(), opset=17):
    """A graph written node by node."""
    graph = helper.make_graph(nodes, name, inputs, outputs, [numpy_helper.from_array(np.asarray(v), k) for k, v in initializers])
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets)
    model.ir_version = 8
    save(name, model, feeds)


def main():
    FOLDER.mkdir(exist_ok=True)
    sklearn("logistic_binary", make_pipeline(StandardScaler(), LogisticRegression()), BINARY)
    sklearn("logistic_three_classes", make_pipeline(StandardScaler(), LogisticRegression()), THREE)
    sklearn("linear_regression", LinearRegression(), NUMBER)
    sklearn("normalizer_regression", make_pipeline(Normalizer("l2"), LinearRegression()), NUMBER)
    sklearn("gradient_boosting_binary", GradientBoostingClassifier(n_estimators=20, max_depth=3), BINARY)
    sklearn("gradient_boosting_three_classes", GradientBoostingClassifier(n_estimators=6, max_depth=2), THREE)
    sklearn("random_forest", RandomForestClassifier(20, max_depth=4, random_state=0), BINARY)
    sklearn("random_forest_regressor", RandomForestRegressor(8, max_depth=4, random_state=0), NUMBER)
    sklearn("mlp", MLPClassifier((8, 5), max_iter=300, random_state=0), THREE)
    names = np.array(["low", "middle", "high"])
    sklearn("svc_three_classes", SVC(probability=True, random_state=0), names[THREE])
    sklearn("svr_poly", SVR(kernel="poly"), NUMBER)

    missing = X.copy()
    missing[rng.random(X.shape) < 0.15] = np.nan
    hist = HistGradientBoostingClassifier(max_iter=10, max_depth=3)
    sklearn("hist_gradient_boosting_missing", hist, BINARY, missing)

    mixed()
    convolution()
    separable()
    tensors()


def mixed():
    """Strings, missing numbers, string labels and a ZipMap, as scikit-learn exports them."""
    import pandas

    rows = len(X)
    table = pandas.DataFrame({
        "colour": rng.choice(["red", "green", "blue"], rows),
        "size": rng.choice(["S", "M", "L", "XL"], rows),
        "weight": X[:, 0],
        "price": np.where(rng.random(rows) < 0.1, np.nan, X[:, 1]),
    })
    target = np.where((table.colour == "red") ^ (table.weight > 0), "yes", "no")
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer([
        ("words", OneHotEncoder(handle_unknown="ignore"), ["colour", "size"]),
        ("numbers", numbers, ["weight", "price"]),
    ])
    model = make_pipeline(columns, LogisticRegression()).fit(table, target)
    types = {n: (StringTensorType, object) if n in ("colour", "size") else (FloatTensorType, np.float32) for n in table.columns}
    inputs = [(n, tensor_type([None, 1])) for n, (tensor_type, _) in types.items()]
    feeds = {n: table[[n]].to_numpy()[:ROWS].astype(dtype) for n, (_, dtype) in types.items()}
    feeds["colour"][3, 0] = "violet"
    save("mixed_columns", to_onnx(model, initial_types=inputs, target_opset=OPSETS), feeds)


def tensors():
    """What exporters make of features beside the ai.onnx.ml operators, and a model whose rows depend on each other."""
    make, value = helper.make_node, helper.make_tensor_value_info
    shape = [None, 6]
    nodes = [
        make("Slice", ["X", "from", "to", "axis"], ["left"], name="left columns"),
        make("Gather", ["X", "columns"], ["right"], axis=1),
        make("Concat", ["left", "right"], ["both"], axis=-1),
        make("Reshape", ["both", "pairs"], ["grid"]),
        make("Transpose", ["grid"], ["turned"], perm=[0, 2, 1]),
        make("MatMul", ["grid", "turned"], ["gram"]),
        make("ReduceMean", ["gram"], ["mean"], axes=[2], keepdims=0),
        make("Tanh", ["mean"], ["bent"]),
        make("Greater", ["bent", "zero"], ["positive"]),
        make("Where", ["positive", "bent", "mean"], ["chosen"]),
        make("Softmax", ["chosen"], ["share"], axis=-1),
        make("ArgMax", ["share"], ["winner"], axis=1, keepdims=0),
    ]
    initializers = [
        ("from", np.array([1])), ("to", np.array([3])), ("axis", np.array([1])), ("columns", np.array([5, -6])),
        ("pairs", np.array([0, 2, 2])), ("zero", np.float32(0)),
    ]
    outputs = [value("share", TensorProto.FLOAT, None), value("winner", TensorProto.INT64, None)]
    hand_made("tensors", nodes, [value("X", TensorProto.FLOAT, shape)], outputs, {"X": X[:ROWS]}, initializers)

    nodes = [make("ReduceMean", ["X"], ["mean"], axes=[0], keepdims=1), make("Sub", ["X", "mean"], ["centred"])]
    outputs = [value("centred", TensorProto.FLOAT, None)]
    hand_made("rows_mixed", nodes, [value("X", TensorProto.FLOAT, [4, 6])], outputs, {"X": X[:4]})

    codes = value("code", TensorProto.STRING, [None, 1])
    keys = {"keys_strings": ["a", "b"], "values_strings": ["alpha", "beta"], "default_string": "other"}
    nodes = [make("LabelEncoder", ["code"], ["word"], domain="ai.onnx.ml", name="words", **keys)]
    feeds = {"code": np.array([["b"], ["z"], ["a"]], dtype=object)}
    hand_made("strings_to_strings", nodes, [codes], [value("word", TensorProto.STRING, None)], feeds)


def convolution():
    """A convolution along one axis, large enough for the scheme with fewer products, with padding and an odd number of results."""
    make, value = helper.make_node, helper.make_tensor_value_info
    random = np.random.default_rng(5)
    numbers = lambda *shape: random.standard_normal(shape).astype(np.float32) / 16
    nodes = [make("Conv", ["X", "weights", "bias"], ["sums"], pads=[1, 1]), make("Relu", ["sums"], ["Y"])]
    initializers = [("weights", numbers(64, 64, 5)), ("bias", numbers(64))]
    feeds = {"X": 16 * numbers(1, 64, 21)}
    inputs, outputs = [value("X", TensorProto.FLOAT, [1, 64, 21])], [value("Y", TensorProto.FLOAT, None)]
    hand_made("convolution", nodes, inputs, outputs, feeds, initializers)


def separable():
    """Pointwise convolutions, each with a depthwise one behind it: wide enough for a frame, and with a border of its own."""
    make, value = helper.make_node, helper.make_tensor_value_info
    random = np.random.default_rng(6)
    nodes, initializers, last = [], [("low", np.float32(0)), ("high", np.float32(6))], "X"
    for block, (ins, outs, stride) in enumerate([(4, 20, 1), (20, 24, 2), (24, 40, 2)]):
        for kind, shape, attributes in [
            ("pointwise", (outs, ins, 1, 1), {}),
            ("depthwise", (outs, 1, 3, 3), {"group": outs, "pads": [1, 1, 1, 1], "strides": [stride, stride]}),
        ]:
            name = f"{kind}_{block}"
            fan = np.sqrt(np.prod(shape[1:]))
            initializers.append((f"{name}_weights", (random.standard_normal(shape) / fan).astype(np.float32)))
            initializers.append((f"{name}_bias", random.standard_normal(outs).astype(np.float32) / 4))
            nodes.append(make("Conv", [last, f"{name}_weights", f"{name}_bias"], [f"{name}_sums"], name=name, **attributes))
            nodes.append(make("Clip", [f"{name}_sums", "low", "high"], [f"{name}_clipped"]))
            last = f"{name}_clipped"
    nodes.append(make("Identity", [last], ["Y"]))
    feeds = {"X": random.standard_normal((1, 4, 16, 16)).astype(np.float32)}
    inputs, outputs = [value("X", TensorProto.FLOAT, [1, 4, 16, 16])], [value("Y", TensorProto.FLOAT, None)]
    hand_made("separable", nodes, inputs, outputs, feeds, initializers)


if __name__ == "__main__":
    main()
