"""Small models of Spleeter's kind: a card, and a checkpoint of random weights."""

from hashlib import sha256
from pathlib import Path

import bundles
import numpy as np

from audiopipe.crc32c import crc32c

FILTERS = (2, 3, 4, 4, 5, 6)
LABELS = {
    2: ("vocals", "accompaniment"),
    4: ("vocals", "drums", "bass", "other"),
    5: ("vocals", "piano", "drums", "bass", "other"),
}


def variables(stems, filters=FILTERS, seed=0):
    """A checkpoint's variables by name, under which masks differ from place to place."""
    rng = np.random.default_rng(seed)
    found = {"global_step": np.int64(7)}

    def numbered(kind, number):
        return f"{kind}_{number}" if number else kind

    def convolution(name, *shape, fan):
        found[f"{name}/kernel"] = rng.normal(0, np.sqrt(2 / fan), shape).astype(np.float32)
        found[f"{name}/bias"] = rng.normal(0, 0.3, shape[2 if "tr" in name else 3])

    for stem in range(stems):
        down, up = [2, *filters], [*filters[::-1], 1]
        for k in range(6):
            name = numbered("conv2d", 7 * stem + k)
            convolution(name, 5, 5, down[k], down[k + 1], fan=25 * down[k])
            inputs = up[k] * (2 if k else 1)
            name = numbered("conv2d_transpose", 6 * stem + k)
            convolution(name, 5, 5, up[k + 1], inputs, fan=25 * inputs / 4)
            for at, size in ((k, down[k + 1]), (6 + k, up[k + 1])):
                name = numbered("batch_normalization", 12 * stem + at)
                for part, low in (("beta", -0.5), ("gamma", 0.5), ("moving_mean", -0.5)):
                    found[f"{name}/{part}"] = rng.uniform(low, low + 1, size)
                found[f"{name}/moving_variance"] = rng.uniform(0.5, 3, size)
        convolution(numbered("conv2d", 7 * stem + 6), 4, 4, 1, 2, fan=4)
    kinds = {name: np.asarray(array) for name, array in found.items()}
    return {n: a if a.dtype == np.int64 else a.astype(np.float32) for n, a in kinds.items()}


def card_of(folder, stems, filters=FILTERS, bins=1024, high_band="zeros", **changes):
    """Write the card of the checkpoint that lies in a folder, and give the folder's name."""
    settings = {
        "activation": '"leaky"' if stems == 2 else '"elu"',
        "output": '"softmax"' if stems == 5 else '"sigmoid"',
        "bins": bins,
        "high_band": f'"{high_band}"',
        "filters": list(filters),
    } | changes
    text = f"""\
name = "tiny"
about = "A small model of Spleeter's kind."
task = "separate"
network = "spleeter"
rate = 44100
labels = {list(LABELS[stems])}
[settings]
{chr(10).join(f"{key} = {value}" for key, value in settings.items())}
[licence]
name = "CC0-1.0"
url = "https://creativecommons.org/publicdomain/zero/1.0/"
commercial = true
[[data]]
name = "none"
licence = "CC0-1.0"
source = "made for the test"
"""
    for name in ("model.index", "model.data-00000-of-00001"):
        content = (Path(folder) / name).read_bytes()
        text += f'[[files]]\nname = "{name}"\nconvert = true\nsize = {len(content)}\n'
        text += f'sha256 = "{sha256(content).hexdigest()}"\n'
    (Path(folder) / "card.toml").write_text(text)
    return str(folder)


def tiny(folder, stems, seed=0, **settings):
    """A model of random weights in a folder, ready for `separate`; the folder's name."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    bundles.write(folder, variables(stems, seed=seed), crc=crc32c)
    return card_of(folder, stems, **settings)
