"""The models of coqui-tts' own list: what there is, under which licence, and getting it.

The list comes with coqui-tts. Its models have names like `coqui/tts_models/en/ljspeech/vits`, and
once they are downloaded a card in the store's folder, so that they are models like all others.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from filelock import FileLock

from audiopipe.cards import CARD, Card, Licence, ModelFile, TrainingSet, read_card
from audiopipe.download import sha256_of
from audiopipe.engines.coqui import CoquiProcess
from audiopipe.engines.environments import COQUI as ENGINE
from audiopipe.engines.environments import Environments
from audiopipe.errors import (
    EngineError,
    ModelDownloadError,
    ModelError,
    ModelVerificationError,
    OfflineModeError,
    did_you_mean,
)
from audiopipe.ledger import pull_command
from audiopipe.models import COQUI, Store
from audiopipe.teaching.package import as_toml

FETCHED: Final = ".fetched.json"
"""Notes that all files of a model are there; it remains to be tried."""
RATE: Final = 24_000
"""Hz of what our voices make of it."""
SPEAKS: Final = "tts_models"
CONVERTS: Final = "voice_conversion_models"
VOCODES: Final = "vocoder_models"

_CC: Final = "https://creativecommons.org/licenses"
_LICENCES: Final[Mapping[str, Licence]] = {
    name: Licence(name=spdx, url=url, commercial=commercial, forbids=forbids)
    for name, spdx, url, commercial, forbids in (
        ("apache 2.0", "Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0", True, ""),
        ("bsd-3-clause", "BSD-3-Clause", "https://opensource.org/license/bsd-3-clause", True, ""),
        ("mit", "MIT", "https://opensource.org/license/mit", True, ""),
        ("mpl", "MPL-2.0", "https://www.mozilla.org/MPL/2.0/", True, ""),
        ("cc-by-4.0", "CC-BY-4.0", f"{_CC}/by/4.0/", True, ""),
        ("cc-by-sa 4.0", "CC-BY-SA-4.0", f"{_CC}/by-sa/4.0/", True, ""),
        ("cc by-nc 4.0", "CC-BY-NC-4.0", f"{_CC}/by-nc/4.0/", False, ""),
        ("cc by-nc-nd 4.0", "CC-BY-NC-ND-4.0", f"{_CC}/by-nc-nd/4.0/", False, "changed versions"),
        ("cpml", "Coqui Public Model License 1.0.0", "https://tts-hub.github.io/cpml", False, ""),
    )
}


@dataclass(frozen=True)
class Listed:
    """A model of the list: its licence has to be accepted if that of its vocoder has to be."""

    name: str
    about: str
    licence: Licence
    vocoder: str | None = None

    @property
    def key(self) -> str:
        """What its card is named, and its folder."""
        return self.name.removeprefix(COQUI).replace("/", "--")

    @property
    def task(self) -> str:
        """`speak`, or `convert` for what gives a recording another voice."""
        return "speak" if self.name.startswith(COQUI + SPEAKS) else "convert"


def models_file() -> Path:
    """The list that comes with coqui-tts; raises EngineError if it is not installed."""
    python = Environments().python(ENGINE.name)
    found = sorted(python.parents[1].glob("[Ll]ib/**/site-packages/TTS/.models.json"))
    if not found:
        raise EngineError(f"engine {ENGINE.name!r} has no list of models; install it again")
    return found[0]


def listed() -> dict[str, Listed]:
    """All voices and converters of the list, by name; raises EngineError without the engine."""
    tree = json.loads(models_file().read_text(encoding="utf-8"))
    return {model.name: model for kind in (SPEAKS, CONVERTS) for model in _of_kind(tree, kind)}


def find(name: str) -> Listed:
    """A model of the list, `:speaker` behind its name or not; raises ModelError."""
    known = listed()
    plain = name.partition(":")[0]
    if plain not in known:
        raise ModelError(f"coqui-tts has no model {plain!r}; {did_you_mean(plain, known)}")
    return known[plain]


def pull(name: str, store: Store, accept_licence: bool = False) -> Path:
    """Download a model by coqui-tts' own means, try it, and write its card; gives its folder.

    The list states no hashes. So what is noted are those of the files as they first came, by
    which every later use is checked; files from a hub are checked against those that it states.
    If one is missing or has changed, the download is begun anew. Raises LicenceError,
    OfflineModeError, ModelDownloadError, ModelError and EngineError.
    """
    model = find(name)
    store.admit(model.name, model.key, model.licence, accept_licence)
    folder = store.root / COQUI / model.key
    if _complete(model, store):
        return folder
    if store.offline:
        raise OfflineModeError(
            f"model {model.name!r} is not downloaded, and offline mode (AUDIOPIPE_OFFLINE, "
            f"HF_HUB_OFFLINE) forbids it; on a connected machine run: {pull_command(model.name)}, "
            f"then copy its folder {folder.name} to {folder} on this one"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f".{folder.name}.lock"):
            if not _complete(model, store):
                _fetch(model, folder)
    except OSError as error:
        raise ModelDownloadError(f"{folder}: cannot be written: {error}") from None
    return folder


def _complete(model: Listed, store: Store) -> bool:
    """Whether a model is there as it came, and was tried with this version of coqui-tts."""
    folder = store.root / COQUI / model.key
    if not (folder / CARD).is_file():
        return False
    card = read_card(folder)
    try:
        for file in card.files:
            store.path(model.name, file.name)
    except ModelVerificationError:
        (folder / FETCHED).unlink(missing_ok=True)
        return False
    return card.settings.get("engine") == ENGINE.package


def _fetch(model: Listed, folder: Path) -> None:
    process = CoquiProcess(folder, network=True)
    try:
        note = folder / FETCHED
        if not note.is_file():
            shutil.rmtree(folder)
            folder.mkdir()
            told = _download(process, model)
            note.write_text(json.dumps(told), encoding="utf-8")
        told = json.loads(note.read_text(encoding="utf-8"))
        try:
            about = process.load(told, torch.device("cpu"))
        except EngineError as error:
            raise ModelError(
                f"model {model.name!r} is downloaded, but cannot be loaded: {error}; when that is "
                f"mended, run again: {pull_command(model.name)}"
            ) from None
    finally:
        process.close()
    part = folder / f".{CARD}"
    part.write_text(as_toml(_card(model, folder, told, about)), encoding="utf-8")
    part.replace(folder / CARD)


def _download(process: CoquiProcess, model: Listed) -> Mapping[str, Any]:
    try:
        return process.download(model.name.removeprefix(COQUI), models_file())
    except EngineError as error:
        raise ModelDownloadError(
            f"model {model.name!r} could not be downloaded: {error}; run again: "
            f"{pull_command(model.name)}"
        ) from None


def _card(model: Listed, folder: Path, told: Mapping[str, Any], about: Mapping[str, Any]) -> Card:
    files = tuple(
        ModelFile(name=name, size=path.stat().st_size, sha256=sha256_of(path), convert=True)
        for name, path in sorted(_files(folder))
    )
    speakers = dict.fromkeys(speaker.strip() for speaker in about["speakers"])
    _, language, dataset, _ = model.name.removeprefix(COQUI).split("/")
    languages = about["languages"] if about["several"] else [language]
    settings = {"engine": ENGINE.package, "rate": about["rate"], "languages": languages, **told}
    return Card(
        name=model.key,
        about=model.about,
        task=model.task,
        network="coqui",
        settings=settings,
        rate=RATE,
        labels=tuple(speaker for speaker in speakers if speaker and speaker.isprintable()),
        files=files,
        licence=model.licence,
        data=(TrainingSet(name=dataset, licence="not stated", source="coqui-tts' list"),),
    )


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of a model; links lead to files that are among them."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        plain = path.is_file() and not path.is_symlink() and path.stat().st_size > 0
        if plain and not hidden and name != Path(CARD):
            yield name.as_posix(), path


def _of_kind(tree: Mapping[str, Any], kind: str) -> Iterator[Listed]:
    for path, item in _items(tree, kind):
        vocoder = item.get("default_vocoder")
        named = dict(_items(tree, VOCODES))
        licences = [_licence(item), *([_licence(named[vocoder])] if vocoder in named else [])]
        # The one that forbids most, named after all.
        strict = min(licences, key=lambda licence: (licence.commercial, not licence.gated))
        names = " and ".join(dict.fromkeys(licence.name for licence in licences))
        about = item.get("description") or f"{path.split('/')[3]}, trained on {path.split('/')[2]}"
        yield Listed(
            COQUI + path, about.strip(), strict.model_copy(update={"name": names}), vocoder
        )


def _items(tree: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for language, sets in tree[kind].items():
        for dataset, models in sets.items():
            for model, item in models.items():
                yield f"{kind}/{language}/{dataset}/{model}", item


def _licence(item: Mapping[str, Any]) -> Licence:
    """The licence that the list states; one that we do not know has to be read and accepted."""
    stated = " ".join(str(item.get("license", "")).split()) or "unknown"
    if known := _LICENCES.get(stated.lower()):
        return known
    url = next((word for word in stated.split() if word.startswith("http")), "")
    return Licence(
        name=stated,
        url=url or "https://github.com/idiap/coqui-ai-TTS",
        commercial=True,
        acceptance=True,
        forbids="what it says: audiopipe does not know it",
    )
