"""FLUX.1-dev in small: double and single blocks over T5's states and CLIP's pooled vector,
distilled to take guidance as an input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.lab.miniatures.interface import TOKENIZER_FILES, Miniature

if TYPE_CHECKING:
    import torch

    from kindred.lab.base_network import BaseNetwork
    from kindred.lab.pretraining_corpus import LatentCorpus
    from kindred.lab.settings import LabSettings


class FluxMiniature(Miniature):
    """Everything is trained here, the autoencoder too."""

    name = "flux1"
    text_files = tuple(
        f"{folder}/{file}" for folder in ("tokenizer", "tokenizer_2") for file in TOKENIZER_FILES
    )
    base_files = (
        "model_index.json",
        "scheduler/scheduler_config.json",
        "transformer/config.json",
        "transformer/diffusion_pytorch_model.safetensors",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "text_encoder_2/config.json",
        "text_encoder_2/model.safetensors",
    )

    def save_tokenizers(
        self, base: Path, captions: list[str], surnames: list[str], settings: LabSettings
    ) -> None:
        """As `Miniature.save_tokenizers`."""
        from kindred.lab.miniatures.flux1 import text_encoders

        text_encoders.save_tokenizers(base, captions, surnames, settings.text)

    def load_tokenizers(self, base: Path) -> dict[str, Any]:
        """As `Miniature.load_tokenizers`."""
        from kindred.lab.miniatures.flux1 import text_encoders

        return text_encoders.load_tokenizers(base)

    def make_vae(
        self,
        corpus: Sequence[Path],
        out: Path,
        work: Path,
        settings: LabSettings,
        device: torch.device,
    ) -> None:
        """As `Miniature.make_vae`."""
        from kindred.lab.vae_training import make

        make(settings.vae, corpus, out, work, settings.seed, device)

    def load_vae(self, base: Path) -> Any:
        """As `Miniature.load_vae`."""
        from diffusers import AutoencoderKL

        return AutoencoderKL.from_pretrained(base / "vae")

    def normalise(self, vae: Any, latents: torch.Tensor) -> torch.Tensor:
        """As `Miniature.normalise`."""
        from kindred.models.architectures.latent_coding import ScaledLatents

        return ScaledLatents(vae).normalise(latents)

    def network(
        self, settings: LabSettings, latent_channels: int, tokenizers: Mapping[str, Any]
    ) -> BaseNetwork:
        """As `Miniature.network`."""
        from kindred.lab.miniatures.flux1 import network

        return network.build(settings.flow, settings.text, latent_channels, tokenizers)

    def finish(
        self, model: BaseNetwork, settings: LabSettings, corpus: LatentCorpus, work: Path
    ) -> None:
        """Guidance distillation."""
        from kindred.lab.miniatures.flux1.distillation import distill

        distill(model, settings.distill, corpus, work, settings.seed)

    def save(self, model: BaseNetwork, vae: Any, tokenizers: Mapping[str, Any], base: Path) -> None:
        """As `Miniature.save`."""
        from kindred.lab.miniatures.flux1 import network

        network.save_pipeline(model, vae, tokenizers, base)


FLUX1 = FluxMiniature()
