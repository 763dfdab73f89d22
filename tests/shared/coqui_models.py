"""Small untrained voices, made and saved by coqui-tts itself.

Each function fills a folder with what a release of such a model holds. `coqui_make.py` calls them.
"""

import json

SMALL = {
    "hidden_channels": 16,
    "hidden_channels_ffn_text_encoder": 32,
    "num_layers_text_encoder": 1,
    "num_layers_posterior_encoder": 1,
    "num_layers_flow": 1,
    "upsample_initial_channel_decoder": 32,
    "init_discriminator": False,
}
"""What is small in a VITS."""


def vits(folder, speakers=(), **spelling):
    """A VITS of letters, or what the options of its configuration say, of a speaker or several."""
    import torch
    from TTS.tts.configs.vits_config import VitsArgs, VitsConfig
    from TTS.tts.models.vits import Vits

    torch.manual_seed(1)
    sizes = dict(SMALL)
    if speakers:
        ids = folder / "speaker_ids.json"
        ids.write_text(json.dumps({name: number for number, name in enumerate(speakers)}))
        sizes |= {"use_speaker_embedding": True, "speaker_embedding_channels": 8}
        sizes |= {"speakers_file": str(ids)}
    config = VitsConfig(
        model_args=VitsArgs(**sizes),
        text_cleaner="english_cleaners",
        **spelling,
        use_speaker_embedding=bool(speakers),
        speakers_file=sizes.get("speakers_file"),
    )
    model = Vits(config)
    loud(model.waveform_decoder)
    save(config, model, folder)


def several(folder):
    """A VITS of two speakers."""
    vits(folder, ("anna", "p225"))


def phonemes(folder):
    """A VITS of phonemes, which espeak-ng finds."""
    how = {"use_phonemes": True, "phonemizer": "espeak", "phoneme_language": "en-us"}
    vits(folder, **how)


def xtts(folder, speakers=("Ana Florence", "Damien Black")):
    """An XTTS of two languages, with two speakers of its own, as its version 2 has."""
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
    if not speakers:
        return
    known = {
        name: {
            "gpt_cond_latent": torch.randn(1, 32, 32),
            "speaker_embedding": torch.randn(1, 512, 1),
        }
        for name in speakers
    }
    torch.save(known, folder / "speakers_xtts.pth")


def xtts1(folder):
    """An XTTS that has no speakers of its own, as its version 1.1."""
    xtts(folder, ())


def yourtts(folder):
    """A VITS of two languages that knows speakers by what an encoder hears, with two of its own."""
    import torch
    from TTS.config.shared_configs import BaseAudioConfig
    from TTS.encoder.configs.speaker_encoder_config import SpeakerEncoderConfig
    from TTS.encoder.utils.generic_utils import setup_encoder_model
    from TTS.tts.configs.vits_config import VitsArgs, VitsConfig
    from TTS.tts.models.vits import Vits

    torch.manual_seed(1)
    heard = {"model_name": "lstm", "input_dim": 20, "proj_dim": 8, "lstm_dim": 8}
    encoder_config = SpeakerEncoderConfig(
        audio=BaseAudioConfig(sample_rate=16000, num_mels=20),
        model_params={**heard, "num_lstm_layers": 1},
        num_classes_in_batch=2,
        num_utter_per_class=2,
        num_loader_workers=0,
    )
    encoder = setup_encoder_model(encoder_config)
    torch.save({"model": encoder.state_dict()}, folder / "model_se.pth")
    encoder_config.save_json(folder / "config_se.json")
    embeddings = {
        f"{name}.wav": {"name": name, "embedding": torch.randn(8).tolist()}
        for name in ("female-en-5\n", "male-fr-2\n")
    }
    (folder / "speakers.json").write_text(json.dumps(embeddings))
    (folder / "language_ids.json").write_text(json.dumps({"en": 0, "fr-fr": 1}))
    names = {
        "speaker_encoder_model_path": str(folder / "model_se.pth"),
        "speaker_encoder_config_path": str(folder / "config_se.json"),
        "language_ids_file": str(folder / "language_ids.json"),
    }
    known = {
        "use_d_vector_file": True,
        "d_vector_dim": 8,
        "d_vector_file": [str(folder / "speakers.json")],
    }
    args = VitsArgs(**SMALL, **names, **known, use_language_embedding=True)
    config = VitsConfig(model_args=args, text_cleaner="multilingual_cleaners", **known)
    model = Vits(config)
    loud(model.waveform_decoder)
    save(config, model, folder)


def glow(folder):
    """A Glow-TTS, which wants a vocoder."""
    import torch
    from TTS.tts.configs.glow_tts_config import GlowTTSConfig
    from TTS.tts.models.glow_tts import GlowTTS

    torch.manual_seed(1)
    layers = {"kernel_size": 3, "dropout_p": 0.0, "num_layers": 1, "num_heads": 2}
    config = GlowTTSConfig(
        hidden_channels_enc=16,
        hidden_channels_dec=16,
        hidden_channels_dp=16,
        num_flow_blocks_dec=1,
        num_block_layers=1,
        encoder_params={**layers, "hidden_channels_ffn": 16, "input_length": None},
        text_cleaner="english_cleaners",
        length_scale=8.0,
    )
    save(config, GlowTTS(config), folder)


def tacotron(folder):
    """A Tacotron 2, whose sizes are fixed; it never stops by itself, as it was not trained."""
    import torch
    from TTS.tts.configs.tacotron2_config import Tacotron2Config
    from TTS.tts.models.tacotron2 import Tacotron2

    torch.manual_seed(1)
    config = Tacotron2Config(text_cleaner="english_cleaners", max_decoder_steps=100)
    model = Tacotron2(config)
    with torch.no_grad():
        model.decoder.stopnet[-1].linear_layer.bias.fill_(-20)
    save(config, model, folder)


def pitched(folder):
    """A FastPitch of two speakers, whose spectra Griffin and Lim's algorithm makes sound."""
    import torch
    from TTS.tts.configs.fast_pitch_config import FastPitchConfig
    from TTS.tts.models.forward_tts import ForwardTTS, ForwardTTSArgs

    torch.manual_seed(1)
    ids = folder / "speaker_ids.json"
    ids.write_text(json.dumps({"VCTK_p225": 0, "VCTK_p226": 1}))
    layers = {"hidden_channels_ffn": 16, "num_heads": 1, "num_layers": 1, "dropout_p": 0.0}
    speakers = {"use_speaker_embedding": True, "speakers_file": str(ids)}
    args = ForwardTTSArgs(
        hidden_channels=16,
        encoder_params=layers,
        decoder_params=layers,
        use_aligner=False,
        length_scale=8,
        **speakers,
    )
    config = FastPitchConfig(model_args=args, text_cleaner="english_cleaners", **speakers)
    save(config, ForwardTTS(config), folder)


def gan(folder, rate=22050, **sizes):
    """A HiFi-GAN."""
    import torch
    from TTS.vocoder.configs.hifigan_config import HifiganConfig
    from TTS.vocoder.models.gan import GAN

    torch.manual_seed(1)
    layers = {
        "upsample_factors": [8, 8, 2, 2],
        "upsample_kernel_sizes": [16, 16, 4, 4],
        "upsample_initial_channel": 32,
        "resblock_kernel_sizes": [3],
        "resblock_dilation_sizes": [[1, 3, 5]],
        "resblock_type": "1",
    }
    config = HifiganConfig(generator_model_params={**layers, **sizes})
    config.audio.sample_rate = rate
    model = GAN(config)
    loud(model.model_g, 5)
    torch.save({"model": model.model_g.state_dict(), "model_disc": {}}, folder / "model_file.pth")
    config.save_json(folder / "config.json")


def save(config, model, folder):
    """Save a model as its training does."""
    from trainer.io import save_checkpoint

    save_checkpoint(config, model, str(folder), current_step=0, epoch=0)
    (folder / "checkpoint_0.pth").rename(folder / "model_file.pth")
    config.save_json(folder / "config.json")


def loud(vocoder, gain=50):
    """Have an untrained vocoder be heard."""
    import torch

    with torch.no_grad():
        for name, parameter in vocoder.named_parameters():
            if "conv_post" in name and parameter.dim() > 1:
                parameter.mul_(gain)
