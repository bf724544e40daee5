"""The peer of `cargo xtask bench serve`: FastAPI and onnxruntime, as one would write them with care.

    MODEL=model.onnx uvicorn peer:app --port PORT

One record of named features in, label and probabilities out; one thread for the model.
"""

import json
import os
from pathlib import Path

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import create_model

model = Path(os.environ["MODEL"])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
features = list(json.loads((model.parent / "record.json").read_text()))
Record = create_model("Record", **{f"f{i}": (float, ...) for i in range(len(features))})
name = session.get_inputs()[0].name
app = FastAPI()


@app.post("/predict/model")
async def predict(record: Record):
    """In the event loop: a thread for each request would cost more than the model."""
    label, probabilities = session.run(None, {name: np.array([list(record.__dict__.values())], dtype=np.float32)})
    return {"label": int(label[0]), "probabilities": [float(p) for p in probabilities[0]]}
