"""Deezer's own Spleeter, to compare with: runs in an environment of its own, with TensorFlow.

    python deezer.py model NAME FOLDER [FILTERS]   its configuration NAME, with random weights that
                                                   TensorFlow's own Saver writes
    python deezer.py separate FOLDER IN OUT ...    stems [stems, samples, 2] of [samples, channels]
    python deezer.py time FOLDER IN REPEATS        seconds until it can begin, and of each time

Sounds are `.npy` files, FILTERS are six numbers with commas. What is found out is JSON, in the
last line.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

BEGIN = time.perf_counter()
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from spleeter.model import EstimatorSpecBuilder  # noqa: E402
from spleeter.separator import Separator  # noqa: E402
from spleeter.utils.configuration import load_configuration  # noqa: E402


def make_model(name: str, folder: Path, filters: list[int]) -> None:
    params = load_configuration(f"spleeter:{name}")
    params["model_dir"] = str(folder.resolve())
    if filters:
        params["model"]["params"]["conv_n_filters"] = filters
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(params))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        features = {
            "waveform": tf.compat.v1.placeholder(tf.float32, (None, params["n_channels"])),
            "audio_id": tf.compat.v1.placeholder(tf.string),
        }
        EstimatorSpecBuilder(features, params).build_predict_model()
        tf.compat.v1.train.get_or_create_global_step()
        rng = np.random.default_rng(params["random_seed"])
        made = {}
        variables = tf.compat.v1.global_variables()
        for variable in variables:
            shape = variable.shape.as_list()
            value = weights(variable.op.name, shape, rng) if shape else np.int64(7)
            made[variable.initial_value] = value.astype(variable.dtype.as_numpy_dtype)
        session.run([variable.initializer for variable in variables], made)
        saver = tf.compat.v1.train.Saver()
        saver.save(session, str(folder / "model"), write_meta_graph=False)


def weights(name: str, shape: list[int], rng: np.random.Generator) -> np.ndarray:
    """Weights under which masks differ over time and frequency, and from stem to stem."""
    if name.endswith("kernel"):
        fan = shape[0] * shape[1] * (shape[3] / 4 if "transpose" in name else shape[2])
        return rng.normal(0, np.sqrt(1.5 / fan), shape)
    if name.endswith("moving_variance"):  # small ones, too, for which the epsilon matters
        return 10 ** rng.uniform(-1, 0.5, shape)
    return rng.uniform(*((0.5, 1.5) if name.endswith("gamma") else (-0.5, 0.5)), shape)


def separate(folder: Path, pairs: list[tuple[str, str]]) -> None:
    names = json.loads((folder / "config.json").read_text())["instrument_list"]
    separator = Separator(str(folder / "config.json"), multiprocess=False)
    for source, target in pairs:
        stems = separator.separate(np.load(source))
        np.save(target, np.stack([stems[name] for name in names]))


def measure(folder: Path, source: str, repeats: int) -> dict[str, Any]:
    sound = np.load(source)
    separator = Separator(str(folder / "config.json"), multiprocess=False)
    began = time.perf_counter() - BEGIN
    took = []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        separator.separate(sound)
        took.append((time.perf_counter() - start, time.process_time() - used))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"began": began, "took": took, "peak": peak}


def main(verb: str, *rest: str) -> None:
    found: dict[str, Any] = {}
    if verb == "model":
        make_model(rest[0], Path(rest[1]), [int(n) for n in "".join(rest[2:]).split(",") if n])
    elif verb == "separate":
        separate(Path(rest[0]), list(zip(rest[1::2], rest[2::2], strict=True)))
    else:
        found = measure(Path(rest[0]), rest[1], int(rest[2]))
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
