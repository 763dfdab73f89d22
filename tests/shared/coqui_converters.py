"""Small untrained converters, made and saved by coqui-tts itself: as `coqui_models.py` voices."""

import json

from coqui_models import gan, loud

EMBEDDING = 32
"""Numbers that the small WavLM gives for a frame."""


def openvoice(folder):
    """A converter of the kind of OpenVoice 2."""
    _openvoice(folder / "converter")


def openvoice1(folder):
    """A converter of the kind of OpenVoice 1."""
    _openvoice(folder / "checkpoints" / "converter")


def _openvoice(home):
    import torch
    from TTS.vc.configs.openvoice_config import OpenVoiceConfig
    from TTS.vc.models.openvoice import OpenVoice

    torch.manual_seed(1)
    home.mkdir(parents=True)
    model = OpenVoice(OpenVoiceConfig())
    loud(model.dec)
    with torch.no_grad():  # untrained, it would give every voice alike
        for name, parameter in model.flow.named_parameters():
            if "post" in name:
                parameter.normal_(0, 0.1)
    torch.save({"model": model.state_dict()}, home / "checkpoint.pth")
    data = {"sampling_rate": 22050, "filter_length": 1024, "hop_length": 256, "win_length": 1024}
    (home / "config.json").write_text(json.dumps({"data": data}))


def assets(folder):
    """What FreeVC and kNN-VC fetch by addresses of their own: WavLM, an encoder of speakers."""
    import torch
    from TTS.vc.layers.freevc.speaker_encoder import speaker_encoder
    from TTS.vc.layers.freevc.wavlm.wavlm import WavLM, WavLMConfig

    torch.manual_seed(1)
    config = {
        "extractor_mode": "layer_norm",
        "encoder_layers": 6,
        "encoder_embed_dim": EMBEDDING,
        "encoder_ffn_embed_dim": 32,
        "encoder_attention_heads": 2,
        "layer_norm_first": True,
        "conv_feature_layers": "[(16,10,5)] + [(16,3,2)] * 4 + [(16,2,2)] * 2",
        "conv_pos_groups": 2,
        "relative_position_embedding": True,
        "gru_rel_pos": True,
        "normalize": True,
    }
    state = WavLM(WavLMConfig(config)).state_dict()
    torch.save({"cfg": config, "model": state}, folder / "WavLM-Large.pt")
    blank = torch.nn.Module()
    blank.lstm = torch.nn.LSTM(
        speaker_encoder.mel_n_channels,
        speaker_encoder.model_hidden_size,
        speaker_encoder.model_num_layers,
        batch_first=True,
    )
    blank.linear = torch.nn.Linear(
        speaker_encoder.model_hidden_size, speaker_encoder.model_embedding_size
    )
    torch.save({"model_state": blank.state_dict()}, folder / "speaker_encoder.pt")


def freevc(folder):
    """A converter of the kind of FreeVC, without what it fetches besides."""
    import torch
    from TTS.vc.configs.freevc_config import FreeVCArgs, FreeVCConfig
    from TTS.vc.models import freevc

    torch.manual_seed(1)
    sizes = {"inter_channels": 16, "hidden_channels": 16, "upsample_initial_channel": 32}
    config = FreeVCConfig(model_args=FreeVCArgs(ssl_dim=EMBEDDING, use_spk=True, **sizes))
    fetched = folder.parent / "assets"
    wavlm = torch.load(fetched / "WavLM-Large.pt")
    freevc.get_wavlm = lambda: _wavlm(wavlm)
    encoder = freevc.SpeakerEncoderEx
    freevc.SpeakerEncoderEx = lambda address: encoder(fetched / address.rpartition("/")[2])
    model = freevc.FreeVC(config)
    loud(model.dec)
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    config.save_json(folder / "config.json")


def _wavlm(saved):
    from TTS.vc.layers.freevc.wavlm.wavlm import WavLM, WavLMConfig

    model = WavLM(WavLMConfig(saved["cfg"]))
    model.load_state_dict(saved["model"])
    return model


def matched(folder):
    """The vocoder of kNN-VC, which takes what its WavLM gives."""
    factors = {"upsample_factors": [10, 8, 2, 2], "upsample_kernel_sizes": [20, 16, 4, 4]}
    sizes = {"in_channels": EMBEDDING, "pre_linear": EMBEDDING, "inference_padding": 0}
    gan(folder, 16_000, **sizes, **factors)
