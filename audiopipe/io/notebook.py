"""How signals show themselves in a notebook: a player and a picture."""

from __future__ import annotations

import base64
import html as markup
import io

from audiopipe.io.pictures import plot
from audiopipe.io.wav import WavEncoder
from audiopipe.signals import Audio, Detections, Signal, Stems, Text

LONGEST = 5 * 60
"""Seconds of sound that are embedded: a notebook keeps them in its file."""


def html(signal: Signal) -> str:
    """HTML that needs nothing else: sound as WAV and the picture as PNG, both inline."""
    parts = [f"<div><code>{markup.escape(_title(signal))}</code></div>"]
    if isinstance(signal, Audio):
        parts.append(_player(signal))
    elif isinstance(signal, Stems):
        parts += [f"<div>{markup.escape(n)}</div>{_player(a)}" for n, a in signal.parts.items()]
    if isinstance(signal, Text):
        parts += [
            f"<p>{f'<b>{markup.escape(s.speaker)}</b> ' if s.speaker else ''}"
            f"{markup.escape(s.text)}</p>"
            for s in signal.segments
        ]
    else:
        png = io.BytesIO()
        plot(signal).savefig(png, format="png")
        parts.append(f'<img style="max-width:100%" src="{_uri("image/png", png.getvalue())}">')
    return "\n".join(parts)


def _title(signal: Signal) -> str:
    if isinstance(signal, Stems):
        return f"Stems({', '.join(signal)})"
    kind = type(signal).__name__
    return f"{kind}({len(signal)})" if isinstance(signal, Detections | Text) else repr(signal)


def _player(audio: Audio) -> str:
    most = LONGEST * audio.rate
    shown = audio.cut(audio.start, audio.start + most) if len(audio) > most else audio
    wav = io.BytesIO()
    encoder = WavEncoder(wav, audio.rate, audio.channels, "s16le")
    encoder.write(shown.numpy().T)
    encoder.close()
    player = f'<audio controls src="{_uri("audio/wav", wav.getvalue())}"></audio>'
    if shown is audio:
        return player
    whole = float(audio.duration) / 60
    return f"{player}<div>the first {LONGEST // 60} of {whole:.1f} minutes; save() the rest</div>"


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
