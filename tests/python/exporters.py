"""What people train and export: does it compile, and does it still say the same?

    python exporters.py BEIRA OUTPUT.md [--only TEXT]

Two differences are reported apart: what the converter changed (onnxruntime against the library's own answer) and what
the compiler changed (the module against onnxruntime). Numbers agree to 1e-5 (of the greater of 1 and the number),
labels exactly.
"""

import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
from exporters_models import MODELS, ROWS
from models_agree import run, tensor
from onnx.helper import tensor_dtype_to_np_dtype

TOLERANCE = 1e-5


def difference(got, want):
    """Greatest difference of numbers, of the greater of 1 and the number; infinite where labels or shapes differ."""
    got, want = np.asarray(got), np.asarray(want)
    if got.size != want.size:
        return np.inf
    got = got.reshape(want.shape)
    if want.dtype.kind != "f":
        return 0.0 if (got.astype(str) == want.astype(str)).all() else np.inf
    got, want = got.astype(np.float64), want.astype(np.float64)
    both = np.isnan(got) & np.isnan(want) | (got == want)
    off = np.abs(got - want) / np.maximum(1, np.abs(want))
    return float(np.where(both, 0, off).max(initial=0))


def feeds(session, onnx_model, x):
    """Inputs for onnxruntime by name, and the tensors of a request."""
    declared = {value.name: value.type.tensor_type.elem_type for value in onnx_model.graph.input}
    values, tensors = {}, []
    for feature in session.get_inputs():
        value = x[[feature.name]].to_numpy() if isinstance(x, pd.DataFrame) else np.asarray(x)
        value = value.astype(tensor_dtype_to_np_dtype(declared[feature.name]))
        values[feature.name] = value
        tensors.append(tensor(feature.name, value.astype(str) if value.dtype == object else value))
    return values, tensors


def answers(beira, module, tensors):
    """The module's outputs by name. Where the compiler could not prove that rows do not mix, a call takes one row."""
    inspected = run([beira, "inspect", module], timeout=60)
    rows = tensors[0]["shape"][0]
    if "[-1" in inspected.split("\nsize")[0] or rows == 1:
        return ask(beira, module, tensors)
    parts = []
    for row in range(rows):
        one = []
        for whole in tensors:
            width = len(whole["data"]) // rows
            one.append(whole | {"shape": [1, *whole["shape"][1:]], "data": whole["data"][row * width : (row + 1) * width]})
        parts.append(ask(beira, module, one))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def ask(beira, module, tensors):
    """One request."""
    printed = run([beira, "predict", module, "--input", "-"], input=json.dumps({"inputs": tensors}), timeout=300)
    numbers = {"FP32": np.float32, "FP64": np.float64}
    return {
        out["name"]: np.array([np.nan if v is None else v for v in out["data"]], numbers.get(out["datatype"]))
        for out in json.loads(printed)["outputs"]
    }


class NotExported(Exception):
    """The converter does not know the model, or onnxruntime not what it wrote: there is nothing to compile."""


def export(make):
    """(ONNX bytes, tensors of a request, onnxruntime's answers by name, the converter's difference)."""
    try:
        exported, x, own = make()
        session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
        values, tensors = feeds(session, onnx.load_from_string(exported), x)
        reference = dict(zip([out.name for out in session.get_outputs()], session.run(None, values)))
    except Exception as error:
        raise NotExported(str(error).split(" You may raise")[0].splitlines()[0][:120]) from error
    answered = list(reference.values())
    return exported, tensors, reference, max(difference(answered[n], want) for n, want in own.items())


def spread(reference):
    """A sequence of tensors is one output for each."""
    plain = {}
    for name, value in reference.items():
        whole = not (isinstance(value, list) and value and isinstance(value[0], np.ndarray))
        plain |= {name: value} if whole else {f"{name}[{n}]": part for n, part in enumerate(value)}
    return plain


def check(beira, exported, tensors, reference, folder):
    """(bytes of the module, the compiler's difference)."""
    (folder / "model.onnx").write_bytes(exported)
    module = folder / "model.wasm"
    run([beira, "compile", folder / "model.onnx", "-o", module], timeout=300)
    got = answers(beira, module, tensors)
    reference = spread(reference)
    compiler = max(difference(got[name], want) if name in got else np.inf for name, want in reference.items())
    return module.stat().st_size, compiler


def main():
    beira, output = Path(sys.argv[1]), Path(sys.argv[2])
    only = sys.argv[4] if sys.argv[3:4] == ["--only"] else ""
    warnings.simplefilter("ignore")
    onnxruntime.set_default_logger_severity(4)
    rows, good, refused = [], 0, 0
    for name, make in MODELS.items():
        if only not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                exported, tensors, reference, converter = export(make)
                size, compiler = check(beira, exported, tensors, reference, Path(folder))
            except NotExported as error:
                rows.append((name, "", "", "", f"not exported: {error}"))
                refused += 1
            except (ValueError, subprocess.SubprocessError) as error:
                rows.append((name, "", "", f"{converter:.1e}", str(error).replace("|", "\\|").splitlines()[-1].removeprefix(f"error: {folder}/")[:200]))
            else:
                good += compiler <= TOLERANCE
                rows.append((name, str(size), f"{compiler:.1e}", f"{converter:.1e}", "" if compiler <= TOLERANCE else "DIFFERS"))
        print("  {:48} {:>8} {:>8} {:>8}  {}".format(*rows[-1]), flush=True)
    tried = len(rows) - refused
    print(f"{good} of {tried} agree")
    if not only:
        table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
        output.write_text(
            "# Exporters\n\nModels of scikit-learn (skl2onnx), XGBoost and LightGBM (onnxmltools), exported, compiled, and asked "
            f"{ROWS} rows.\n*compiler*: the module against onnxruntime; *converter*: onnxruntime against the library itself. "
            "Differences are of the greater of 1\nand the number; labels are equal or the difference is infinite. Written by `cargo xtask "
            f"conformance --exporters`.\n\n**{good} of {tried} agree to 1e-5.**\n\n"
            f"| model | bytes | compiler | converter | |\n|---|--:|--:|--:|---|\n{table}\n"
        )


if __name__ == "__main__":
    main()
