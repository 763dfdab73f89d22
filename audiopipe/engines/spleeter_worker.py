"""Deezer's own networks, run by TensorFlow: a process that `audiopipe.engines.spleeter` talks to.

It runs in an environment of its own, and imports nothing of ours. The first line that it reads is
JSON; then come blocks: the number of segments as four bytes, and their magnitudes, float32
[segments, frames, bins, 2]. For each it writes the stems' magnitudes [stems, segments, frames,
bins, 2]. It ends when no more comes.
"""

from __future__ import annotations

import json
import os
import sys
from typing import BinaryIO


def main() -> None:
    """Serve blocks from stdin to stdout."""
    source = sys.stdin.buffer
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what TensorFlow prints must not come between
    asked = json.loads(source.readline())
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

    import numpy as np
    import tensorflow as tf
    from spleeter.model import EstimatorSpecBuilder
    from spleeter.utils.configuration import load_configuration

    params = load_configuration(f"spleeter:{asked['configuration']}")
    params["model"]["params"]["conv_n_filters"] = asked["filters"]
    shape = (params["T"], params["F"], params["n_channels"])
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        spectra = tf.compat.v1.placeholder(tf.float32, (None, *shape))
        builder = EstimatorSpecBuilder({f"{params['mix_name']}_spectrogram": spectra}, params)
        made = builder.model_outputs
        outputs = [made[f"{name}_spectrogram"] for name in params["instrument_list"]]
        tf.compat.v1.train.Saver().restore(session, asked["checkpoint"])
        target.write(b"ready\n")
        target.flush()
        while len(head := source.read(4)) == 4:
            count = int.from_bytes(head, "little")
            block = np.frombuffer(_read(source, 4 * count * int(np.prod(shape))), np.float32)
            found = session.run(outputs, {spectra: block.reshape(count, *shape)})
            for stem in found:
                target.write(np.ascontiguousarray(stem, np.float32).tobytes())
            target.flush()


def _read(source: BinaryIO, size: int) -> bytes:
    content = source.read(size)
    if len(content) < size:
        raise EOFError("a block was cut short")
    return content


if __name__ == "__main__":
    main()
