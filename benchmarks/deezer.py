"""Deezer's own Spleeter, to compare with: runs in an environment of its own, with TensorFlow.

    python deezer.py weights CONFIG          random weights, saved by TensorFlow's own Saver
    python deezer.py separate CONFIG IN OUT  stems [stems, samples, 2] of [samples, channels]
    python deezer.py time CONFIG IN REPEATS  seconds of loading and the first time, and of each time

CONFIG is Spleeter's JSON with an absolute `model_dir`; sounds are `.npy` files. The last line
that is printed is JSON.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
BEGIN = time.perf_counter()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from spleeter.model import EstimatorSpecBuilder  # noqa: E402
from spleeter.separator import Separator  # noqa: E402


def values(name: str, shape: list[int], rng: np.random.Generator) -> np.ndarray:
    """Weights under which masks differ over time and frequency, and from stem to stem."""
    if name.endswith("kernel"):
        fan = shape[0] * shape[1] * (shape[3] / 4 if "transpose" in name else shape[2])
        return rng.normal(0, np.sqrt(1.5 / fan), shape)
    ranges = {"gamma": (0.5, 1.5), "moving_variance": (0.5, 3), "moving_mean": (-0.5, 0.5)}
    return rng.uniform(*ranges.get(name.rsplit("/", 1)[-1], (-0.5, 0.5)), shape)


def save_weights(params: dict[str, Any]) -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        features = {
            "waveform": tf.compat.v1.placeholder(tf.float32, (None, params["n_channels"])),
            "audio_id": tf.compat.v1.placeholder(tf.string),
        }
        EstimatorSpecBuilder(features, params).build_predict_model()
        tf.compat.v1.train.get_or_create_global_step()
        rng = np.random.default_rng(params["random_seed"])
        for variable in tf.compat.v1.global_variables():
            shape = variable.shape.as_list()
            made = values(variable.op.name, shape, rng) if shape else np.int64(7)
            variable.load(made.astype(variable.dtype.as_numpy_dtype), session)
        Path(params["model_dir"]).mkdir(parents=True, exist_ok=True)
        saver = tf.compat.v1.train.Saver()
        saver.save(session, str(Path(params["model_dir"]) / "model"), write_meta_graph=False)


def main(verb: str, config: str, *rest: str) -> None:
    params = json.loads(Path(config).read_text())
    tf.config.threading.set_intra_op_parallelism_threads(int(os.environ.get("THREADS", "2")))
    if verb == "weights":
        save_weights(params)
        print("{}")
        return
    separator = Separator(config, multiprocess=False)
    sound = np.load(rest[0])
    if verb == "separate":
        stems = separator.separate(sound)
        np.save(rest[1], np.stack([stems[name] for name in params["instrument_list"]]))
        print("{}")
        return
    took = []
    for _ in range(int(rest[1])):
        start = time.perf_counter()
        separator.separate(sound)
        took.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"began": time.perf_counter() - BEGIN, "took": took, "peak": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
