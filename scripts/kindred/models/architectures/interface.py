"""What the rest of Kindred asks of a base model's architecture: the one seam between them.

Outside, latents are [B, C, H, W], sigma is the share of noise from 0 to 1, velocity is noise -
latent. Packing, position ids, signs, the direction of time, padding and templates stay inside. The
facts need no torch, for configuration and planning; what computes is imported when it is asked for.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from kindred.models.architectures.comfyui import ComfyNodes
from kindred.models.architectures.layout import ActivationUnits, NetworkLayout

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from kindred.models.architectures.latent_coding import LatentCoding

# One text as stored: name -> tensor; and a batch of texts: name -> [B, ...].
Embeddings = Mapping[str, "torch.Tensor"]
Conditioning = dict[str, "torch.Tensor"]
Shapes = Mapping[str, Sequence[int]]
Guidance = Literal["embedded", "cfg", "none"]
# Of LoRA files, under the original code's names: kohya's (`lora_unet_`, down and up, alphas), and
# peft's (`diffusion_model.`, A and B, alphas multiplied in); peft's under diffusers' names.
LoraLayout = Literal["kohya", "peft", "diffusers"]
# Reads a part of a base from its folder, onto the device in use.
LoadPart = Callable[[str], Any]
DIFFUSERS, TRANSFORMERS = "diffusers", "transformers"


@dataclass(frozen=True)
class Part:
    """A folder of a base, and the class of a library that reads it. quantized: whether a base's
    `quantization` is this part's too. blocks: the module whose blocks may visit a device that is
    too small for the part, '' for the part itself; None where none may."""

    folder: str
    library: str
    class_name: str
    quantized: bool = False
    blocks: str | None = None

    @property
    def has_weights(self) -> bool:
        """Whether it is a network, which has a precision and a device."""
        return "Tokenizer" not in self.class_name and "Scheduler" not in self.class_name


@dataclass(frozen=True)
class Parts:
    """A base's folders by what they are for: photos -> latents, texts -> embeddings, drawing."""

    image: tuple[Part, ...]
    text: tuple[Part, ...]
    picture: tuple[Part, ...]

    def folders(self, role: str) -> tuple[str, ...]:
        """Of 'image', 'text' or 'picture', or 'all'."""
        roles = ("image", "text", "picture") if role == "all" else (role,)
        return tuple(part.folder for one in roles for part in getattr(self, one))

    def find(self, folder: str) -> Part:
        """The part in this folder."""
        every = (*self.image, *self.text, *self.picture)
        return next(part for part in every if part.folder == folder)

    @property
    def vae(self) -> Part:
        """What photos become latents by."""
        return self.image[0]

    @property
    def network(self) -> Part:
        """What is trained and draws."""
        return self.picture[0]


@dataclass(frozen=True)
class Tokenizer:
    """How a text encoder counts. reader: what people call the encoder. limit: most tokens that it
    reads; None: a base's `text_tokens`. content: whether a picture's content is read from it, so
    that what it cuts is lost; else it sets an overall direction only. before: what a template puts
    before every text. uncounted: tokens of that which don't count towards the limit, less those
    behind every text which do."""

    folder: str
    reader: str
    limit: int | None
    content: bool
    before: str = ""
    uncounted: int = 0


@dataclass(frozen=True)
class TextTensor:
    """One stored tensor of a text: its name in files and the store. about: the entries of a text's
    fingerprint that it depends on; all when None."""

    name: str
    about: tuple[str, ...] | None = None


class TextEncoding(ABC):
    """Texts -> named tensors -> a batch's conditioning."""

    unconditional: ClassVar[str] = ""  # what caption dropout and guidance's second pass read
    tokenizers: ClassVar[tuple[Tokenizer, ...]]
    tensors: ClassVar[tuple[TextTensor, ...]]  # in the order of loading: one encoder at a time
    sequence: ClassVar[str]  # the tensor [L, D] whose rows are the tokens that the network reads
    # What else embeddings depend on beside files, precision and length (layers read, template).
    key: ClassVar[Mapping[str, Any]] = {}

    @abstractmethod
    def encoder(self, name: str, load: LoadPart, tokens: int) -> Callable[[str], torch.Tensor]:
        """The function text -> the tensor `name`, of at most `tokens` tokens where the length is
        the base's to choose. Its encoder lives as long as that function."""

    def collate(self, texts: Sequence[Embeddings], rows: int | None = None) -> Conditioning:
        """Stored texts as a batch's conditioning, name -> [B, ...].

        rows: what texts of varying length are filled up to, None: the longest of them; what is
        filled up is masked. Here all texts have one length.
        """
        import torch

        return {name: torch.stack([text[name] for text in texts]) for name in texts[0]}

    def length(self, shapes: Shapes) -> int:
        """Tokens of a text that the network reads, by the shapes of its tensors."""
        return shapes[self.sequence][0]

    def lengths(self, texts: Iterable[Embeddings]) -> list[int]:
        """`length` of each text."""
        return [self.length({name: one.shape for name, one in text.items()}) for text in texts]

    def rows(self, texts: Iterable[Embeddings]) -> int | None:
        """What texts are filled up to so that all their batches have one shape: the longest of
        them; None where all are as long."""
        lengths = set(self.lengths(texts))
        return max(lengths) if len(lengths) > 1 else None


def on_device(text: Conditioning, device: torch.device, dtype: torch.dtype) -> Conditioning:
    """A batch's texts on a device: states in this precision, lengths and masks as they are."""
    return {
        name: value.to(device, dtype if value.is_floating_point() else None)
        for name, value in text.items()
    }


@dataclass(frozen=True)
class ReferenceTokens:
    """Reference pictures beside a batch of noisy ones, as a network reads them: tokens [B, R, D] of
    all of them in a row, and the size (height, width in latents) of each."""

    tokens: torch.Tensor
    sizes: tuple[tuple[int, int], ...]

    def of(self, part: slice) -> ReferenceTokens:
        """The same for a part of the batch."""
        return ReferenceTokens(self.tokens[part], self.sizes)

    def repeated(self, times: int) -> ReferenceTokens:
        """The same for a batch that is so many times as large."""
        return ReferenceTokens(self.tokens.repeat(times, 1, 1), self.sizes)


class Denoiser(ABC):
    """A network as Kindred calls it.

    Tokens [B, T, D] are latents in the order in which the network reads them, rows first: T is
    (H / patch) * (W / patch). Loops that need nothing else stay in them. call: what is called in
    the network's place (a recording of `call`), with tensors by name.
    """

    def __init__(
        self, network: Any, call: Callable[..., tuple[torch.Tensor]] | None = None
    ) -> None:
        self.network = network
        self.call = call or self._call

    @abstractmethod
    def pack(self, latents: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] to tokens [B, T, D]."""

    @abstractmethod
    def unpack(self, tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Tokens back to [B, C, H, W]; `height`, `width` in latents."""

    @abstractmethod
    def packed_velocity(
        self,
        tokens: torch.Tensor,
        size: tuple[int, int],
        sigmas: torch.Tensor,
        text: Conditioning,
        guidance: float,
    ) -> torch.Tensor:
        """noise - latent [B, T, D] of noisy tokens [B, T, D], in the network's precision: one pass.

        size: height, width in latents; sigmas [B], 1 is noise; guidance: the scale, for networks
        that take it as an input.
        """

    def velocity_beside(
        self,
        references: ReferenceTokens,
        tokens: torch.Tensor,
        size: tuple[int, int],
        sigmas: torch.Tensor,
        text: Conditioning,
        guidance: float,
    ) -> torch.Tensor:
        """`packed_velocity` [B, T, D] of the noisy tokens alone, of a network that sees reference
        pictures beside them. Only of architectures with `reference_area`: of others it raises
        TypeError."""
        raise TypeError(f"{type(self).__name__} reads no reference pictures")

    def velocity(
        self, latents: torch.Tensor, sigmas: torch.Tensor, text: Conditioning, guidance: float
    ) -> torch.Tensor:
        """noise - latent [B, C, H, W] of noisy latents of that shape."""
        height, width = latents.shape[-2:]
        tokens = self.pack(latents)
        found = self.packed_velocity(tokens, (height, width), sigmas, text, guidance)
        return self.unpack(found, height, width)

    def _call(self, **inputs: Any) -> tuple[torch.Tensor]:
        answer: tuple[torch.Tensor] = self.network(**inputs, return_dict=False)
        return answer


class BatchedInputs(Protocol):
    """What lets pictures of several sizes share a forward pass, for trainings in one batch."""

    def tables(
        self, sizes: Sequence[tuple[int, int]], text_tokens: int, dtype: torch.dtype
    ) -> Conditioning:
        """Name -> [sizes, ...]: a row for each size (height, width in latents) of what the network
        must be told of a sample of that size, for texts of this many tokens."""

    def packed_velocity(
        self,
        tokens: torch.Tensor,
        sigmas: torch.Tensor,
        text: Conditioning,
        guidance: torch.Tensor,
        rows: Conditioning,
    ) -> torch.Tensor:
        """As `Denoiser.packed_velocity`, of samples whose rows of the tables are given; guidance
        [B]."""

    def release(self) -> None:
        """Hold on to nothing of the last batch."""


@dataclass(frozen=True)
class FusedLayer:
    """A LoRA's layer in some tool's layout: the diffusers layers that are its rows, from top to
    bottom, with how often each has as many rows as the layer reads features.

    `original` is its name in the original code; '' for one that a file keeps under diffusers' name
    although the original code has it fused with others. `swapped`: the original has the second half
    of its rows first.
    """

    original: str
    parts: tuple[str, ...]
    times: tuple[int, ...] = ()
    swapped: bool = False

    def heights(self, width: int) -> list[int]:
        """Rows of each part where the layer reads `width` features; of use when it is fused."""
        return [width * times for times in self.times]


class AdapterKeys(ABC):
    """Names of LoRA layers in other tools' files.

    comfyui: the layout that ComfyUI and diffusers read. ai_toolkit: ai-toolkit's.
    comfyui_reads_diffusers: whether ComfyUI also reads `transformer.` and diffusers' names of
    layers, and places the rows of those that the original code has fused.
    """

    comfyui: ClassVar[LoraLayout] = "peft"
    ai_toolkit: ClassVar[LoraLayout] = "peft"
    comfyui_reads_diffusers: ClassVar[bool] = False

    @abstractmethod
    def layer_of(self, name: str) -> FusedLayer | None:
        """What a LoRA module's name means, dots or underscores, without any prefix; None when no
        network of this architecture has such a layer."""

    @abstractmethod
    def fused_layer(self, part: str) -> FusedLayer | None:
        """The layer of the original code that a diffusers layer belongs to."""

    def read_by_diffusers(self, path: Path) -> tuple[dict[str, torch.Tensor], Any, Any] | None:
        """(tensors by diffusers' names, alphas, LoRA configuration) of a file in one of the layouts
        that diffusers knows best; None where Kindred reads all layouts itself."""
        return None

    @abstractmethod
    def metadata(self, base: str) -> dict[str, str]:
        """Header entries by which other tools know what the file is for; `base`: id@revision."""


class Architecture(ABC):
    """All that holds for one kind of base model; facts first."""

    name: ClassVar[str]  # in every key, with its version
    version: ClassVar[int]  # raised when what it computes changes
    title: ClassVar[str]  # what people call it
    licence: ClassVar[str]
    pipelines: ClassVar[tuple[str, ...]]  # `_class_name` of model_index.json
    parts: ClassVar[Parts]
    size_multiple: ClassVar[int]  # px that both edges of a picture are multiples of; of a token
    patch: ClassVar[int]  # latents that a token is wide and high
    default_guidance: ClassVar[float]
    # Width of the network -> what a model of it is called, where one architecture has several.
    models: ClassVar[Mapping[int, str]] = {}
    # Repository -> what `layout` needs of its network's configuration, for LoRA files to be checked
    # before it is fetched; and what the headers of LoRA files call all such models.
    published: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    in_headers: ClassVar[re.Pattern[str] | None] = None
    # `targets: <name>` -> pattern that a layer's whole name matches, and what is never trained.
    lora_targets: ClassVar[Mapping[str, re.Pattern[str]]]
    never_trained: ClassVar[re.Pattern[str] | None] = None
    # Modules that stay in compute precision where others are quantized.
    never_quantized: ClassVar[tuple[str, ...]] = ()
    # Pixels of the largest reference picture that the model is drawn with; None where its networks
    # read none.
    reference_area: ClassVar[int | None] = None
    text: ClassVar[TextEncoding]
    adapter_keys: ClassVar[AdapterKeys | None] = None
    activations: ClassVar[ActivationUnits | None] = None
    # Which of ComfyUI's nodes draw with it; None where that is not known.
    comfyui: ClassVar[ComfyNodes | None] = None
    # Hooks: (network, device), faster attention where there is one; (network), for trainings in one
    # batch.
    fast_attention: Callable[[Any, torch.device], None] | None = None
    batched_inputs: Callable[[Any], BatchedInputs] | None = None
    # Hook: (network), its attention over text, then image tokens, called as JointAttention is, that
    # tells best where a word is drawn. None: adapters can't be kept apart.
    watched_attention: Callable[[Any], Any] | None = None

    @abstractmethod
    def guidance(self, index: Mapping[str, Any], config: Mapping[str, Any]) -> Guidance:
        """How this model follows its prompt more closely: by an input ('embedded'), by a second
        pass ('cfg'), or not ('none'). index: its model_index.json; config: of the network."""

    def cfg_scale(self, guidance_scale: float) -> float:
        """The s of `negative + s * (prompt - negative)` that a model with a second pass means by
        its `guidance_scale`; at 1 the second pass is left out. Here the scale itself."""
        return guidance_scale

    @abstractmethod
    def layout(self, config: Mapping[str, Any]) -> NetworkLayout:
        """The network's layers by its configuration. Raises KindredError when it is none."""

    @abstractmethod
    def shift(
        self,
        scheduler: Mapping[str, Any],
        tokens: int,
        steps: int | None,
        index: Mapping[str, Any] | None = None,
    ) -> float:
        """How far noise levels are moved towards noise for a picture of so many tokens, drawn in so
        many steps by the base whose model_index.json is `index`; None: in training."""

    @abstractmethod
    def latent_coding(self, vae: Any) -> LatentCoding:
        """Photos <-> latents, by a VAE that is loaded."""

    @abstractmethod
    def denoiser(
        self, network: Any, call: Callable[..., tuple[torch.Tensor]] | None = None
    ) -> Denoiser:
        """A loaded network as it is called; `call`: in the network's place."""

    @property
    def latent_px(self) -> int:
        """Pixels that a latent, as stored, is wide and high."""
        return self.size_multiple // self.patch

    def tokens(self, height: int, width: int) -> int:
        """Tokens of a picture; height and width in latents."""
        return (height // self.patch) * (width // self.patch)
