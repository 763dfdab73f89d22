"""Models of coqui-tts: a process that `audiopipe.engines.coqui` talks to.

It runs in an environment of its own, and imports nothing of ours; its arguments are folders of
packages that it borrows. Each line that it reads is a JSON object: what to `do`, and with what.
Each line that it writes is one too: `{"samples": n}`, behind which n numbers in float32 follow, any
times; then `{"done": …}`, or `{"error": …}`. It ends when no more comes.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

FOLDER = "@FOLDER@"
"""What stands in a model's configuration for the folder that it lies in."""
STREAMED = 20
"""Tokens of XTTS, of 47 ms, in the pieces of a stream."""

OUTWARD = ("socket.getaddrinfo",) if os.name == "nt" else ("socket.getaddrinfo", "socket.connect")
"""What is done to reach the network; Windows connects the ends of a pair of sockets, too."""

Answer = dict[str, Any]


class Model:
    """A model that is loaded: a voice, or a converter of voices.

    `told` names its files, as `fetch` gives them; raises what coqui-tts raises.
    """

    def __init__(self, folder: str, told: Answer, device: str) -> None:
        import torch
        import torchaudio
        from TTS.utils.synthesizer import Synthesizer

        torchaudio.load = _read  # its own needs the libraries of FFmpeg
        torch.load = only_weights(torch.load)
        urllib.request.urlretrieve = whole(urllib.request.urlretrieve)
        cuda = device.startswith("cuda")
        if cuda:
            torch.cuda.set_device(torch.device(device).index or 0)
        with tempfile.TemporaryDirectory() as scratch:
            files = {
                kind: _placed(Path(folder, told[kind]), folder, Path(scratch, f"{kind}.json"))
                for kind in ("config", "vocoder_config")
                if told.get(kind)
            }
            files |= {
                kind: str(Path(folder, told[kind])) for kind in ("model", "vocoder") if kind in told
            }
            kind = "vc" if told["converts"] else "tts"
            config = "vc_config" if told["converts"] else "tts_config_path"
            self._synthesizer: Any = Synthesizer(
                **{f"{kind}_checkpoint": files["model"], config: files.get("config")},
                vocoder_checkpoint=files.get("vocoder"),
                vocoder_config=files.get("vocoder_config"),
                voice_dir=scratch,
                use_cuda=cuda,
            )
        self._tts: Any = self._synthesizer.tts_model

    def about(self) -> Answer:
        """Its rate in Hz, speakers, languages, and how many characters it can say of each."""
        tokenizer = getattr(self._tts, "tokenizer", None)
        limits = getattr(tokenizer, "char_limits", {})
        languages = getattr(self._tts, "language_manager", None)
        config: Any = getattr(self._tts, "config", None)
        several = self._streams or getattr(languages, "num_languages", 1) > 1
        names = config.languages if self._streams else getattr(languages, "language_names", ())
        return {
            "rate": int(self._synthesizer.output_sample_rate),
            "speakers": self._speakers,
            "languages": list(names),
            "several": several,
            "limits": dict(limits),
            "hears": self._streams and not self._speakers,
            "clones": bool(getattr(config, "supports_cloning", False)),
        }

    @property
    def _speakers(self) -> list[str]:
        manager = getattr(self._tts, "speaker_manager", None)
        return [] if manager is None else list(manager.speaker_names)

    @property
    def _streams(self) -> bool:
        return hasattr(self._tts, "inference_stream")

    def say(self, asked: Answer) -> Iterator[Any]:
        """Say `text`: samples [time] in pieces."""
        speaker, language, heard = asked["speaker"], asked["language"], asked["reference"]
        tts: Any = self._tts
        if self._streams and asked["early"]:
            latents = self._latents(speaker, heard)
            settings = ("temperature", "length_penalty", "repetition_penalty", "top_k", "top_p")
            how = {name: tts.config[name] for name in settings}
            yield from tts.inference_stream(
                asked["text"], language, *latents, stream_chunk_size=STREAMED, **how
            )
            return
        vocoder = self._synthesizer.vocoder_model
        made = tts.synthesize(
            text=asked["text"],
            speaker=speaker,
            speaker_wav=heard or None,
            language=language,
            use_griffin_lim=vocoder is None,
        )
        if vocoder is None:
            yield made["wav"]
            return
        device = next(vocoder.parameters()).device
        yield self._synthesizer._run_vocoder(made["outputs"]["model_outputs"][0], device)

    def _latents(self, speaker: str | None, heard: list[str]) -> tuple[Any, Any]:
        """What XTTS knows of a speaker of its own, or of one whom it hears."""
        tts: Any = self._tts
        if not heard:
            latents, embedding = tts.speaker_manager.speakers[speaker].values()
            return latents, embedding
        lengths = {name: tts.config[name] for name in ("gpt_cond_len", "gpt_cond_chunk_len")}
        found = tts.get_conditioning_latents(
            heard,
            max_ref_length=tts.config.max_ref_len,
            sound_norm_refs=tts.config.sound_norm_refs,
            **lengths,
        )
        return found[0], found[1]

    def convert(self, asked: Answer) -> Iterator[Any]:
        """Say what the file `source` says in the voice of the files in `reference`."""
        yield self._synthesizer.voice_conversion(asked["source"], asked["reference"])


def fetch(asked: Answer) -> Answer:
    """Download the model `name` of the `list` into `folder`, by coqui-tts' own means.

    Gives the names of its files in `folder`, as `Model` wants them.
    """
    from TTS.utils.manage import ModelManager

    folder = Path(asked["folder"])
    manager = ModelManager(models_file=asked["list"], output_prefix=folder)

    def get(name: str) -> tuple[Path, Path, str | None]:
        kind, language, dataset, model = name.split("/")
        listed = manager.models_dict[kind][language][dataset][model]
        if "repo_id" in listed:
            _from_hub(listed)
        path, config, item = manager.download_model(name)
        if config.is_file() and str(folder) in (text := config.read_text(encoding="utf-8")):
            config.write_text(text.replace(str(folder), FOLDER), encoding="utf-8")
        return path, config, item.get("default_vocoder")

    paths = {}
    paths["model"], paths["config"], vocoder = get(asked["name"])
    if vocoder:
        paths["vocoder"], paths["vocoder_config"], _ = get(vocoder)
    told = {kind: path.relative_to(folder).as_posix() for kind, path in paths.items()}
    return {**told, "converts": asked["name"].startswith("voice_conversion_models/")}


def _from_hub(item: Answer) -> None:
    """Fetch files from a hub; each must have the hash by which the hub names it."""
    from huggingface_hub import snapshot_download

    found = snapshot_download(
        item["repo_id"], allow_patterns=item.get("allow"), ignore_patterns=item.get("ignore")
    )
    for path in Path(found).rglob("*"):
        name = path.resolve().name
        if path.is_symlink() and name != (real := _hub_name(path, len(name))):
            raise ValueError(f"{path.name}: the hub says that its hash is {name}, it is {real}")


def _hub_name(path: Path, length: int) -> str:
    """The hash that a hub names a file by: Git's of small files, and SHA-256 of large ones."""
    found = sha256() if length == 64 else sha1(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def _placed(config: Path, folder: str, scratch: Path) -> str:
    """A configuration that says where the model lies now."""
    if not config.is_file():
        return str(config)
    text = config.read_text(encoding="utf-8")
    if FOLDER not in text:
        return str(config)
    scratch.write_text(text.replace(FOLDER, json.dumps(folder)[1:-1]), encoding="utf-8")
    return str(scratch)


def _read(path: Any, *_: Any, **__: Any) -> tuple[Any, int]:
    """Sound [channels, time] of a file, and its rate: what `torchaudio.load` gives."""
    import soundfile
    import torch

    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return torch.from_numpy(samples.T.copy()), rate


def only_weights(load: Callable[..., Any]) -> Callable[..., Any]:
    """`torch.load` for files of strangers: code in them is refused, whoever would let it run."""

    def loaded(*args: Any, **how: Any) -> Any:
        return load(*args, **{**how, "weights_only": True})

    return loaded


def whole(retrieve: Callable[..., Any]) -> Callable[..., Any]:
    """`urlretrieve` that never leaves a part of a file: what there is by its name is all of it."""

    def retrieved(url: str, filename: str, *args: Any) -> Any:
        part = Path(f"{filename}.part")
        _, headers = retrieve(url, part, *args)
        part.replace(filename)
        return filename, headers

    return retrieved


def _stay_offline(event: str, _: Any) -> None:
    """Refuse to connect: a model that was tried has all its files, and others are not checked."""
    if event in OUTWARD:
        raise OSError("it wants to download, which only `audiopipe models pull` may")


def _sow(seed: int) -> None:
    """Have all random numbers follow from a seed."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def main() -> None:
    """Serve requests from stdin to stdout."""
    source = sys.stdin.buffer
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what coqui-tts prints must not come between
    sys.path += sys.argv[1:]
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        sys.addaudithook(_stay_offline)
    model: Model | None = None

    def tell(answer: Answer, content: bytes = b"") -> None:
        target.write(json.dumps(answer).encode() + b"\n" + content)
        target.flush()

    for line in source:
        asked = json.loads(line)
        try:
            if asked["do"] == "fetch":
                tell({"done": fetch(asked)})
            elif asked["do"] == "load":
                model = Model(asked["folder"], asked["told"], asked["device"])
                tell({"done": model.about()})
            elif model is not None:
                _sow(asked["seed"])
                way: Callable[[Answer], Iterator[Any]] = getattr(model, asked["do"])
                for piece in way(asked):
                    samples = _samples(piece)
                    tell({"samples": samples.size}, samples.tobytes())
                tell({"done": {}})
        except Exception as error:
            told = str(error) or type(error).__name__
            tell({"error": " ".join(told.split())[:2000], "kind": type(error).__name__})


def _samples(piece: Any) -> Any:
    """Samples [time] in float32, from whatever a model gives."""
    import numpy as np
    import torch

    if isinstance(piece, torch.Tensor):
        piece = piece.detach().cpu().numpy()
    return np.ascontiguousarray(np.asarray(piece, np.float32).reshape(-1))


if __name__ == "__main__":
    main()
