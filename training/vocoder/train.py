"""Train the vocoder for a given time: spectral losses first, then against the critics.

    python -m training.vocoder.train --data DATA --out RUN --preset full --minutes 20

The time is what counts, not steps: the learning rate has fallen to nothing when the minutes are
over. A run that was cut off goes on from `RUN/checkpoint.pt` with the same command; the minutes
already spent stay spent.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from audiopipe.nets.frames import LogMel, MelConfig
from audiopipe.nets.vocoder import Vocoder

from ..checkpoints import keep, restore
from ..running import follow, run, schedule
from .data import Crops, Rendered, Speech, sources
from .discriminators import Critics, Judgement
from .losses import Spectra, adversarial_loss, critic_loss, energy, matching_loss
from .presets import PRESETS, Preset

SPECTRAL_SHARE = 0.4
"""Part of the time before the critics join."""
WEIGHTS = {"spectral": 5.0, "mel": 5.0, "adversarial": 1.0, "matching": 2.0}
RENDERED_SHARE = 2 / 3
"""Part of the crops, where a voice's own frames are given: the rest keeps the other speakers."""
CRITIC_LEVEL = 0.1
"""Root mean square that the critics' input is brought to, so that quiet speech counts as much."""


def roughen(mel: Tensor) -> Tensor:
    """Blur and disturb the mels of a third of the crops, as an acoustic model would.

    Args:
        mel: shape [batch, bins, frames].
    """
    blurred = nn.functional.avg_pool1d(mel, 3, stride=1, padding=1, count_include_pad=False)
    amount = torch.rand(mel.shape[0], 2, 1, 1, device=mel.device)
    chosen = (torch.rand(mel.shape[0], 1, 1, device=mel.device) < 1 / 3).float()
    rough = torch.lerp(mel, blurred, amount[:, 0]) + 0.15 * amount[:, 1] * torch.randn_like(mel)
    return torch.lerp(mel, rough, chosen)


class Training:
    """Everything that changes while training, and one step of it."""

    def __init__(
        self,
        preset: Preset,
        speech: Speech,
        device: torch.device,
        compiled: bool,
        rendered: Rendered | None = None,
    ) -> None:
        self.preset, self.device, self.rendered = preset, device, rendered
        mel = MelConfig()
        self.vocoder = Vocoder(preset.network, mel).to(device)
        self.average = AveragedModel(self.vocoder, multi_avg_fn=follow)
        self.critics = Critics(preset.critics).to(device)
        settings = {"lr": preset.rate, "betas": (0.8, 0.99), "weight_decay": 1e-3}
        fused = device.type == "cuda"
        self.optimizer = torch.optim.AdamW(self.vocoder.parameters(), **settings, fused=fused)
        self.opponent = torch.optim.AdamW(self.critics.parameters(), **settings, fused=fused)
        self.listen = LogMel(mel).to(device)
        self.spectra = Spectra().to(device)
        filters = self.vocoder.filters
        self.run = torch.compile(filters) if compiled else filters
        self.judge = torch.compile(self.critics) if compiled else self.critics
        self.crops = Crops(speech, device, self.vocoder.reach, preset.frames)
        self.steps = 0

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def step(self, progress: float) -> dict[str, Tensor]:
        """Draw crops, improve the critics (in their time) and then the vocoder."""
        for optimizer in (self.optimizer, self.opponent):
            for group in optimizer.param_groups:
                group["lr"] = self.preset.rate * schedule(progress)
        mel, hz, real = self.draw()
        filters = self.run(mel, hz)
        made, other = (self.vocoder.shaped(self.source(hz), filters) for _ in range(2))
        losses = {"spectral": energy(*map(self.spectra, (made, other, real)))}
        losses["mel"] = energy(*([self.listen(wave, pad=False)] for wave in (made, other, real)))
        figures = {}
        if progress >= SPECTRAL_SHARE:
            level = real.square().mean(1, keepdim=True).sqrt().clamp(min=1e-3)
            good, bad = (wave * (CRITIC_LEVEL / level) for wave in (real, made))
            figures["critic"], truth = self.improve_critics(good, bad.detach())
            self.critics.requires_grad_(False)
            with self.autocast():
                opinion = self.judge(bad)
                losses["adversarial"] = adversarial_loss(opinion)
                losses["matching"] = matching_loss(truth, opinion)
            self.critics.requires_grad_(True)
        total = sum(WEIGHTS[name] * value for name, value in losses.items())
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.vocoder.parameters(), 100.0)
        self.optimizer.step()
        self.average.update_parameters(self.vocoder)
        self.steps += 1
        return {name: value.detach() for name, value in {**losses, **figures, "norm": norm}.items()}

    def draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Frames with their context, their pitch, and the samples that are wanted of them; of what
        an acoustic model has rendered, if there is any, RENDERED_SHARE of the crops."""
        borrowed = round(RENDERED_SHARE * self.preset.batch) if self.rendered else 0
        audio, hz = self.crops.draw(self.preset.batch - borrowed)
        mel = self.listen.config
        before = self.vocoder.reach.past * mel.hop + mel.margin
        real = audio[:, before : before + self.preset.frames * mel.hop]
        drawn = roughen(self.listen(audio, pad=False)), hz, real
        if self.rendered is None:
            return drawn
        more = self.rendered.draw(borrowed, self.vocoder.reach, self.preset.frames)
        return tuple(torch.cat([a, b.to(self.device)]) for a, b in zip(drawn, more, strict=True))

    def source(self, hz: Tensor) -> Tensor:
        """What the vocoder shapes for these frames."""
        reach, lead = self.vocoder.reach, self.vocoder.lead
        near = hz[:, reach.past - lead.past : hz.shape[1] - reach.ahead + lead.ahead]
        return sources(near, self.listen.config.hop, self.listen.config.rate)

    def improve_critics(self, real: Tensor, made: Tensor) -> tuple[Tensor, list[Judgement]]:
        """Their loss, and what they thought of the real sound before they knew better."""
        with self.autocast():
            truth = self.judge(real)
            loss = critic_loss(truth, self.judge(made))
        self.opponent.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.critics.parameters(), 100.0)
        self.opponent.step()
        return loss, truth

    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        """What a checkpoint holds."""
        names = ("vocoder", "average", "critics", "optimizer", "opponent")
        return {name: getattr(self, name) for name in names}

    def save(self, folder: Path, seconds: float) -> None:
        """Write the checkpoint and the averaged weights, each whole or not at all."""
        facts = {"steps": self.steps, "seconds": seconds}
        about = {"network": asdict(self.preset.network), "mel": asdict(MelConfig())}
        about |= {"steps": self.steps, "seconds": round(seconds), "device": self.device_name()}
        keep(folder, self.parts(), facts, self.average.module, "vocoder", about)

    def device_name(self) -> str:
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"CPU, {torch.get_num_threads()} threads"

    def resume(self, folder: Path) -> float:
        """Read the checkpoint, if there is one; returns the seconds spent so far."""
        state = restore(folder, self.parts(), self.device)
        if state is None:
            return 0.0
        self.steps = state["steps"]
        return state["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of `prepare.py`")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and log")
    parser.add_argument("--preset", choices=PRESETS, default="full")
    parser.add_argument("--minutes", type=float, required=True, help="of the whole training")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true", help="with torch.compile")
    parser.add_argument("--rendered", type=Path, help="file of `training.speak.render`, to tune")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    torch.manual_seed(arguments.seed)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    speech = Speech.load(arguments.data / "train.safetensors")
    device = torch.device(arguments.device)
    rendered = Rendered.load(arguments.rendered) if arguments.rendered else None
    training = Training(PRESETS[arguments.preset], speech, device, arguments.compile, rendered)
    run(training, arguments.out, arguments.minutes, arguments.device)


if __name__ == "__main__":
    main()
