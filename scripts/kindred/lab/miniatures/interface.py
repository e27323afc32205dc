"""What the stages of the lab's build ask of the architecture whose miniature they make.

Facts need no torch, because rules name a stage's files; what computes is imported when it is asked
for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import torch

    from kindred.lab.base_network import BaseNetwork
    from kindred.lab.pretraining_corpus import LatentCorpus
    from kindred.lab.settings import LabSettings

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


class Miniature(ABC):
    """An architecture in small: its files, its tokenizers, its autoencoder, its networks."""

    name: ClassVar[str]
    # Of the base's folder: what the stages of text, autoencoder and base make.
    text_files: ClassVar[tuple[str, ...]]
    vae_files: ClassVar[tuple[str, ...]] = (
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    )
    base_files: ClassVar[tuple[str, ...]]

    @abstractmethod
    def save_tokenizers(
        self, base: Path, captions: list[str], surnames: list[str], settings: LabSettings
    ) -> None:
        """Make the tokenizers from captions and surnames, in the base's folder."""

    @abstractmethod
    def load_tokenizers(self, base: Path) -> dict[str, Any]:
        """Name -> tokenizer of a base's folder. Token ids are stored under these names."""

    def token_ids(self, tokenizer: Any, texts: Sequence[str], tokens: int) -> list[list[int]]:
        """Ids of each text, filled up or cut to `tokens`."""
        options = {"padding": "max_length", "truncation": True, "max_length": tokens}
        return tokenizer(list(texts), **options)["input_ids"]

    @abstractmethod
    def make_vae(
        self,
        corpus: Sequence[Path],
        out: Path,
        work: Path,
        settings: LabSettings,
        device: torch.device,
    ) -> None:
        """Write the autoencoder, with what its latents are normalised by, in bfloat16. corpus:
        folders of drawings; work: for checkpoint and log."""

    @abstractmethod
    def load_vae(self, base: Path) -> Any:
        """The autoencoder of a base's folder."""

    @abstractmethod
    def normalise(self, vae: Any, latents: torch.Tensor) -> torch.Tensor:
        """Latents [N, C, H, W] as the autoencoder gives them, normalised as the network reads them
        and in the same layout."""

    @abstractmethod
    def network(
        self, settings: LabSettings, latent_channels: int, tokenizers: Mapping[str, Any]
    ) -> BaseNetwork:
        """Untrained networks for these tokenizers. Their weights follow from torch's seed."""

    @abstractmethod
    def finish(
        self, model: BaseNetwork, settings: LabSettings, corpus: LatentCorpus, work: Path
    ) -> None:
        """Train what flow matching leaves to be done, if anything."""

    @abstractmethod
    def save(self, model: BaseNetwork, vae: Any, tokenizers: Mapping[str, Any], base: Path) -> None:
        """Write what the architecture's pipeline reads beside vae/ and the tokenizers of `base`, in
        bfloat16."""
