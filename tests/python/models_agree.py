"""Every model of a folder, compiled and run, against its expected outputs.

    models_agree.py BEIRA FOLDER
    models_agree.py BEIRA FOLDER --compile-to DIR     compared is nothing; DIR/NAME.wasm, and NAME.scalar.wasm without SIMD

FOLDER holds NAME/model.onnx with NAME/case*.npz beside it: `in:NAME` and `out:NAME` tensors (`seq:NAME:keys` and
`seq:NAME:values` for what ZipMap makes; not compared). A model that leaves more free than its rows is compiled for the shapes of
its first case. Numbers agree within rtol 1e-3 and atol 1e-5, everything else exactly. Needs numpy.
"""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

DATATYPES = {"float32": "FP32", "float64": "FP64", "bool": "BOOL", "int32": "INT32", "int64": "INT64", "uint8": "UINT8"}


def tensor(name, array):
    data = [None if isinstance(v, float) and math.isnan(v) else v for v in array.ravel().tolist()]
    kind = "BYTES" if array.dtype.kind == "U" else DATATYPES[array.dtype.name]
    return {"name": name, "shape": list(array.shape), "datatype": kind, "data": data}


def compile(beira, onnx, wasm, case, *options):
    command = [beira, "compile", onnx, "-o", wasm, *options]
    try:
        run(command)
    except ValueError as error:
        if "--shape" not in str(error):
            raise
        shapes = [f"{key[3:]}={','.join(map(str, a.shape))}" for key, a in case.items() if key.startswith("in:")]
        run(command + [f"--shape={shape}" for shape in shapes])


def run(command, **options):
    """What it printed; a `ValueError` with its error where it failed."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        raise ValueError(done.stderr.strip() or f"exit {done.returncode}")
    return done.stdout


def compare(name, want, got):
    """The largest absolute difference."""
    if want.dtype.kind != "f":
        if list(got) != want.ravel().tolist():
            raise ValueError(f"{name} differs")
        return 0.0
    have = np.array([math.nan if v is None else v for v in got], np.float64)
    want = want.ravel().astype(np.float64)
    if have.shape != want.shape:
        raise ValueError(f"{name}: {have.size} numbers, expected {want.size}")
    if not np.allclose(have, want, rtol=1e-3, atol=1e-5, equal_nan=True):
        raise ValueError(f"{name} differs by {np.nanmax(np.abs(have - want)):.3g}")
    return float(np.nanmax(np.abs(have - want), initial=0.0))


def cases_of(folder):
    cases = []
    for path in sorted(folder.glob("case*.npz")):
        with np.load(path, allow_pickle=False) as npz:
            cases.append({key: npz[key] for key in npz.files})
    if not cases:
        raise ValueError("no cases")
    return cases


def twins(beira, folder, to):
    case = cases_of(folder)[0]
    compile(beira, folder / "model.onnx", to / f"{folder.name}.wasm", case)
    compile(beira, folder / "model.onnx", to / f"{folder.name}.scalar.wasm", case, "--scalar")


def check(beira, folder, scratch):
    cases = cases_of(folder)
    wasm, request, worst = scratch / "model.wasm", scratch / "request.json", 0.0
    compile(beira, folder / "model.onnx", wasm, cases[0])
    for case in cases:
        inputs = [tensor(key[3:], array) for key, array in case.items() if key.startswith("in:")]
        request.write_text(json.dumps({"inputs": inputs}))
        answer = {o["name"]: o for o in json.loads(run([beira, "predict", wasm, "--input", request]))["outputs"]}
        for key, want in case.items():
            if key.startswith("out:"):
                worst = max(worst, compare(key[4:], want, answer[key[4:]]["data"]))
    return f"{len(cases)} cases, largest difference {worst:.2g}, {wasm.stat().st_size} bytes"


def main(beira, root, option=None, to=None):
    folders = sorted(model.parent for model in Path(root).glob("*/model.onnx"))
    wrong = 0
    for folder in folders:
        with tempfile.TemporaryDirectory() as scratch:
            try:
                if option == "--compile-to":
                    twins(beira, folder, Path(to))
                else:
                    print(f"{folder.name}: {check(beira, folder, Path(scratch))}", flush=True)
            except ValueError as error:
                wrong += 1
                print(f"{folder.name}: WRONG: {error}", flush=True)
    print(f"{len(folders) - wrong} of {len(folders)} models {'compile' if option else 'agree'}")
    return 1 if wrong or not folders else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
