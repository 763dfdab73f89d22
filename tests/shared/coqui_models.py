"""Small untrained models, made and saved by coqui-tts itself: `coqui_models.py FOLDER SHELF…`.

It runs in the engine's environment, and writes a folder for each of `KINDS`: what a release of such
a model holds.
"""

import json
import sys
from pathlib import Path


def vits(folder, speakers=()):
    """A VITS of letters, with a speaker or several."""
    import torch
    from trainer.io import save_checkpoint
    from TTS.tts.configs.vits_config import VitsArgs, VitsConfig
    from TTS.tts.models.vits import Vits

    torch.manual_seed(1)
    sizes = {
        "hidden_channels": 16,
        "hidden_channels_ffn_text_encoder": 32,
        "num_layers_text_encoder": 1,
        "num_layers_posterior_encoder": 1,
        "num_layers_flow": 1,
        "upsample_initial_channel_decoder": 32,
        "init_discriminator": False,
    }
    if speakers:
        ids = folder / "speaker_ids.json"
        ids.write_text(json.dumps({name: number for number, name in enumerate(speakers)}))
        sizes |= {"use_speaker_embedding": True, "speaker_embedding_channels": 8}
        sizes |= {"speakers_file": str(ids)}
    config = VitsConfig(
        model_args=VitsArgs(**sizes),
        text_cleaner="english_cleaners",
        use_speaker_embedding=bool(speakers),
        speakers_file=sizes.get("speakers_file"),
    )
    model = Vits(config)
    loud(model.waveform_decoder)
    save_checkpoint(config, model, str(folder), current_step=0, epoch=0)
    (folder / "checkpoint_0.pth").rename(folder / "model_file.pth")
    config.save_json(folder / "config.json")


def several(folder):
    """A VITS of two speakers."""
    vits(folder, ("anna", "p225"))


def xtts(folder):
    """An XTTS of two languages, with two speakers of its own."""
    import torch
    from tokenizers import Tokenizer, models
    from TTS.tts.configs.xtts_config import XttsArgs, XttsConfig
    from TTS.tts.models.xtts import Xtts

    torch.manual_seed(1)
    letters = "abcdefghijklmnopqrstuvwxyz ,.?!'äöüß"
    special = ["[STOP]", "[UNK]", "[SPACE]", "[START]", "[en]", "[de]"]
    tokens = {token: number for number, token in enumerate([*special, *letters])}
    tokenizer = Tokenizer(models.BPE(tokens, [], unk_token="[UNK]"))
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "vocab.json"))
    sizes = {
        "gpt_layers": 1,
        "gpt_n_model_channels": 32,
        "gpt_n_heads": 2,
        "gpt_max_audio_tokens": 100,
        "gpt_max_text_tokens": 402,
        "gpt_num_audio_tokens": 34,
        "gpt_start_audio_token": 32,
        "gpt_stop_audio_token": 33,
        "gpt_use_perceiver_resampler": True,
        "decoder_input_dim": 32,
        "d_vector_dim": 512,
        "gpt_number_text_tokens": len(tokens),
        "gpt_start_text_token": tokens["[START]"],
        "gpt_stop_text_token": tokens["[STOP]"],
    }
    config = XttsConfig(model_args=XttsArgs(**sizes), languages=["en", "de"], temperature=1.0)
    model = Xtts(config)
    loud(model.hifigan_decoder.waveform_decoder)
    torch.save({"model": model.state_dict(), "config": config.to_dict()}, folder / "model.pth")
    config.save_json(folder / "config.json")
    speakers = {
        name: {
            "gpt_cond_latent": torch.randn(1, 32, 32),
            "speaker_embedding": torch.randn(1, 512, 1),
        }
        for name in ("Ana Florence", "Damien Black")
    }
    torch.save(speakers, folder / "speakers_xtts.pth")


def openvoice(folder):
    """A converter of the kind of OpenVoice."""
    import torch
    from TTS.vc.configs.openvoice_config import OpenVoiceConfig
    from TTS.vc.models.openvoice import OpenVoice

    torch.manual_seed(1)
    home = folder / "converter"
    home.mkdir()
    model = OpenVoice(OpenVoiceConfig())
    loud(model.dec)
    torch.save({"model": model.state_dict()}, home / "checkpoint.pth")
    data = {"sampling_rate": 22050, "filter_length": 1024, "hop_length": 256, "win_length": 1024}
    (home / "config.json").write_text(json.dumps({"data": data}))


def loud(vocoder):
    """Have an untrained vocoder be heard."""
    import torch

    with torch.no_grad():
        for name, parameter in vocoder.named_parameters():
            if "conv_post" in name and parameter.dim() > 1:
                parameter.mul_(50)


KINDS = (vits, several, xtts, openvoice)

if __name__ == "__main__":
    target, *shelves = sys.argv[1:]
    sys.path += shelves
    for kind in KINDS:
        home = Path(target, kind.__name__)
        home.mkdir(parents=True)
        kind(home)
