"""FLUX.2 klein base in small: its blocks over three states of a Qwen3, drawn with true
classifier-free guidance."""

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


class KleinMiniature(Miniature):
    """The autoencoder is not trained here: only its batch statistics are measured."""

    name = "klein"
    text_files = tuple(f"tokenizer/{file}" for file in (*TOKENIZER_FILES, "chat_template.jinja"))
    base_files = (
        "model_index.json",
        "scheduler/scheduler_config.json",
        "transformer/config.json",
        "transformer/diffusion_pytorch_model.safetensors",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
    )

    def save_tokenizers(
        self, base: Path, captions: list[str], surnames: list[str], settings: LabSettings
    ) -> None:
        """As `Miniature.save_tokenizers`."""
        from kindred.lab.miniatures.klein.tokenizer import save_tokenizer

        save_tokenizer(base, captions, surnames, settings.text.tokens)

    def load_tokenizers(self, base: Path) -> dict[str, Any]:
        """As `Miniature.load_tokenizers`."""
        from transformers import Qwen2TokenizerFast

        return {"qwen": Qwen2TokenizerFast.from_pretrained(base / "tokenizer")}

    def token_ids(self, tokenizer: Any, texts: Sequence[str], tokens: int) -> list[list[int]]:
        """As `Miniature.token_ids`; each text as the message of a chat."""
        from kindred.lab.miniatures.klein.tokenizer import in_chats

        return super().token_ids(tokenizer, in_chats(tokenizer, texts), tokens)

    def make_vae(
        self,
        corpus: Sequence[Path],
        out: Path,
        work: Path,
        settings: LabSettings,
        device: torch.device,
    ) -> None:
        """As `Miniature.make_vae`."""
        from kindred.lab.miniatures.klein.vae import make

        make(settings.vae, corpus, out, device)

    def load_vae(self, base: Path) -> Any:
        """As `Miniature.load_vae`."""
        from diffusers import AutoencoderKLFlux2

        return AutoencoderKLFlux2.from_pretrained(base / "vae")

    def normalise(self, vae: Any, latents: torch.Tensor) -> torch.Tensor:
        """As `Miniature.normalise`."""
        from kindred.models.architectures.klein.latents import KleinLatents, unpatchify

        return unpatchify(KleinLatents(vae).normalise(latents))

    def network(
        self, settings: LabSettings, latent_channels: int, tokenizers: Mapping[str, Any]
    ) -> BaseNetwork:
        """As `Miniature.network`."""
        from kindred.lab.miniatures.klein import network

        return network.build(settings.flow, settings.text, latent_channels, tokenizers)

    def finish(
        self, model: BaseNetwork, settings: LabSettings, corpus: LatentCorpus, work: Path
    ) -> None:
        """As `Miniature.finish`: nothing, guidance is a second pass."""

    def save(self, model: BaseNetwork, vae: Any, tokenizers: Mapping[str, Any], base: Path) -> None:
        """As `Miniature.save`."""
        from kindred.lab.miniatures.klein import network

        network.save_pipeline(model, vae, tokenizers, base)


KLEIN = KleinMiniature()
