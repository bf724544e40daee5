"""Three models that people ship, trained and exported with scikit-learn and skl2onnx.

    python sklearn_models.py FOLDER     writes FOLDER/NAME/model.onnx and rows.json
"""

import json
import sys
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODELS = {
    "logistic_regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    "gradient_boosting": GradientBoostingClassifier(random_state=0),
    "random_forest_200": RandomForestClassifier(n_estimators=200, random_state=0),
}


def export(name):
    """(ONNX bytes, 500 rows as float32) of the model `name`, trained on breast cancer (30 features)."""
    x, y = load_breast_cancer(return_X_y=True)
    x = x.astype(np.float32)
    model = MODELS[name].fit(x, y)
    onnx = to_onnx(model, x[:1], options={id(model): {"zipmap": False}}, target_opset={"": 17, "ai.onnx.ml": 3})
    return onnx.SerializeToString(), x[:500]


def main(folder):
    for name in MODELS:
        onnx, rows = export(name)
        place = Path(folder) / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "model.onnx").write_bytes(onnx)
        (place / "rows.json").write_text(json.dumps([[float(v) for v in row] for row in rows]))


if __name__ == "__main__":
    main(sys.argv[1])
