"""A loaded base with its adapters, and the drawing of batches of pictures with it.

Knows modules and batches; knows nothing of stores, manifests or command lines. Text encoders are
never loaded here: embeddings come from what `encode_prompts` wrote.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import torch
from PIL import Image

from kindred.common.backends import backend_of
from kindred.common.hashing import caption_hash
from kindred.common.sentences import counted
from kindred.common.versions import code_revision
from kindred.compute import compilation, roofline
from kindred.compute.compile_decision import Work, compiles
from kindred.compute.cuda_graphs import RecordedNetwork
from kindred.data.image_encoding import checked_image
from kindred.data.shown_photos import ShownPhoto
from kindred.models.architectures.interface import Denoiser, Embeddings, ReferenceTokens
from kindred.models.architectures.latent_coding import LatentCoding
from kindred.models.architectures.noise_levels import schedule
from kindred.models.loading import load_vae
from kindred.models.lora.adapters import Adapter
from kindred.models.opened_base import OpenedBase, open_base
from kindred.rendering import precision
from kindred.rendering.image_plan import ImageRequest
from kindred.rendering.kept_apart import KeptApart
from kindred.rendering.prompt_embeddings import named_tokens
from kindred.rendering.sampling import denoise, initial_noise, last_levels, noised
from kindred.specs.rendering import RenderSpec

Texts = Mapping[str, Embeddings]  # by caption hash
TILE = 64  # latents; at the 128 that VAEs come with a picture of 1024 px would be one tile


@dataclass
class RenderPipeline:
    """The parts of a base that drawing needs, adapters applied.

    decode_at_once: pictures that the VAE decodes together, at most; of more than one the bytes may
    hang on what is beside them. denoise_at_once: pictures that the transformer takes together at
    most, since memory ran out. passes_together: whether guidance's two passes are one of twice as
    many pictures, until memory runs out. shown: latents of reference pictures by pixel hash.
    in_training: the transformer is one that is trained meanwhile, so that whatever it keeps between
    two passes must be fit for gradients. apart: what keeps its adapters apart, where they are.
    """

    base: OpenedBase
    transformer: Any
    vae: Any
    recorded: RecordedNetwork | None = None
    decode_at_once: int = 1
    denoise_at_once: int | None = None
    passes_together: bool = True
    shown: dict[str, torch.Tensor] = field(default_factory=dict)
    in_training: bool = False
    apart: KeptApart | None = None

    @classmethod
    def load(
        cls,
        spec: RenderSpec,
        adapters: Sequence[Adapter],
        device: torch.device | str,
        pictures: Sequence[ImageRequest] = (),
        places: Mapping[str, Any] | None = None,
    ) -> RenderPipeline:
        """Load the base once, on `device` or in `places`; compiled where `pictures` are worth it.
        Raises KindredError for a base or adapter that can't be used."""
        transformer = precision.load(spec, adapters, device, places)
        backend = backend_of(next(transformer.parameters()).device)
        # Every block stays where it is, and calls only what it is made of.
        there = not places and not precision.is_offloaded(transformer) and not spec.apart
        base = open_base(spec.base)
        if base.architecture.fast_attention:
            base.architecture.fast_attention(transformer, torch.device(device))
        if there and compiles(drawing_work(pictures, base), torch.device(device)):
            compilation.compile_blocks(transformer)
        vae = load_vae(spec.base, roomiest(places) if places else device)
        # LLM int8 asks the GPU for outliers at every product, which can't be recorded.
        records = backend.records and there and spec.base.quantization != "int8"
        pipeline = cls(base, transformer, vae)
        pipeline.recorded = pipeline._recording() if records else None
        pipeline.apart = KeptApart(transformer, base) if spec.apart else None
        return pipeline

    def notes(self) -> dict[str, Any]:
        """What beside versions may change a picture's bytes here."""
        found = {
            "tiled": self.vae.use_tiling,
            "compiled": compilation.is_compiled(self.transformer),
            "dequantized": precision.is_unpacked(self.transformer),
            "passes_apart": not self.passes_together,
        }
        batch = {"batch": self.denoise_at_once} if self.denoise_at_once else {}
        return {name: True for name, so in found.items() if so} | batch

    def text_tokens(self, picture: ImageRequest, texts: Texts) -> tuple[int, ...]:
        """Tokens of a picture's prompt that the network reads, and of its negative one."""
        found = [texts[caption_hash(text)] for text in picture.texts]
        return tuple(self.base.architecture.text.lengths(found))

    def draw(
        self,
        pictures: Sequence[ImageRequest],
        texts: Texts,
        fill_to: int = 1,
        after_step: Callable[[], None] = lambda: None,
    ) -> list[Image.Image]:
        """The pictures, all of one size and with texts of one length, in their order.

        The batch is filled to `fill_to` by repeating its last picture: matrix products round
        differently at another batch size, so a picture drawn alone later has the same bytes as
        one drawn among others (on one device with one number of threads; else a few values are
        off by one).
        """
        with torch.inference_mode(not self.in_training), torch.no_grad():
            return self._draw(pictures, texts, fill_to, after_step)

    def redraw(
        self,
        images: Sequence[Image.Image],
        strength: float,
        pictures: Sequence[ImageRequest],
        texts: Texts,
        fill_to: int = 1,
    ) -> list[Image.Image]:
        """As `draw`, begun with images of the pictures' size: with noise as of the last share
        `strength` of the steps, which are then done (Meng et al. 2022, "SDEdit", arXiv
        2108.01073). At 0 an image only goes through the VAE, at 1 nothing of it is left."""
        with torch.inference_mode(not self.in_training), torch.no_grad():
            return self._draw(pictures, texts, fill_to, lambda: None, (images, strength))

    def _draw(
        self,
        pictures: Sequence[ImageRequest],
        texts: Texts,
        fill_to: int,
        after_step: Callable[[], None],
        begun: tuple[Sequence[Image.Image], float] | None = None,
    ) -> list[Image.Image]:
        filled = [*pictures, *[pictures[-1]] * (fill_to - len(pictures))]
        settings = filled[0].settings
        shape = self.coding.shape(*filled[0].size)
        noise = initial_noise([picture.seed for picture in filled], *shape)
        tokens, steps = self.base.architecture.tokens(*shape[1:]), settings["steps"]
        scale = self.base.cfg_scale(settings["guidance"])
        sigmas = schedule(self.base.shift(tokens, steps), steps)
        if begun:
            images, strength = begun
            sigmas = last_levels(sigmas, strength)
            own = [self._through_vae(self.coding.encode, image) for image in images]
            own += own[-1:] * (len(filled) - len(own))
            noise = noised(torch.stack(own), noise, sigmas[0])
        latents = self._denoise_as_fits(
            noise,
            [texts[caption_hash(picture.prompt)] for picture in filled],
            [texts[caption_hash(picture.negative)] for picture in filled] if scale else None,
            sigmas,
            scale or settings["guidance"],
            after_step,
            references=self._references(filled),
            named=named_tokens(filled, texts, self.base) if self.apart else None,
        )
        # One by one unless asked for: least memory, and again the same bytes whatever is beside it.
        parts = latents[: len(pictures)].split(self.decode_at_once)
        decoded = [picture for part in parts for picture in self._decode(part)]
        return [Image.fromarray(picture.numpy()) for picture in decoded]

    def _denoise_as_fits(
        self,
        noise: torch.Tensor,
        texts: Sequence[Embeddings],
        negatives: Sequence[Embeddings] | None,
        *settings: Any,
        references: ReferenceTokens | None = None,
        named: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """`_denoise` of all pictures together, where memory runs out with a pass for prompts and
        one for negatives, then of half as many, and so on. negatives: the texts of a second pass.
        """
        collate, sizes = self.base.architecture.text.collate, self.denoise_at_once or len(noise)
        try:
            found = []
            for start in range(0, len(noise), sizes):
                part = slice(start, start + sizes)
                other = collate(negatives[part]) if negatives else None
                text, together = collate(texts[part]), self.passes_together
                shown = references and references.of(part)
                given = noise[part], text, *settings, other, together, shown
                whose = named[part] if named is not None else None
                found.append(self._denoise(*given, named=whose))
            return torch.cat(found)
        except torch.OutOfMemoryError:
            apart = bool(negatives) and self.passes_together
            if sizes == 1 and not apart and not self._forget_recordings():
                raise
        if apart:
            self._forget_recordings()
            self.passes_together = False
            print(
                "warning: not enough memory for both guidance passes at once; running them one "
                "after the other from now on",
                file=sys.stderr,
            )
        elif sizes > 1:
            self._forget_recordings()
            self.denoise_at_once = sizes // 2
            print(
                f"warning: not enough memory for {sizes} pictures at once; drawing {sizes // 2} "
                "at a time from now on",
                file=sys.stderr,
            )
        torch.cuda.empty_cache()
        beside = {"references": references, "named": named}
        return self._denoise_as_fits(noise, texts, negatives, *settings, **beside)

    def _forget_recordings(self) -> bool:
        """Give back the memory that recordings keep. Whether there were any."""
        if not (self.recorded and self.recorded.recordings):
            return False
        self.recorded = self._recording()
        torch.cuda.empty_cache()
        return True

    def _denoise(self, *arguments: Any, named: torch.Tensor | None) -> torch.Tensor:
        """`denoise`, without the compiler where it fails, or with adapters kept apart."""
        if self.apart and named is not None:
            # Its architectures draw in one pass and are shown no pictures.
            return self.apart.denoise(self._denoiser(), named, *arguments[:5])
        try:
            return denoise(self._denoiser(), *arguments)
        except Exception as error:
            memory = isinstance(error, torch.OutOfMemoryError)
            if memory or not compilation.is_compiled(self.transformer):
                raise
            compilation.disable_compilation(self.transformer, error)
            self.recorded = self.recorded and self._recording()
        return denoise(self._denoiser(), *arguments)

    def _recording(self) -> RecordedNetwork:
        return RecordedNetwork(self.base.architecture.denoiser(self.transformer).call)

    def _denoiser(self) -> Denoiser:
        return self.base.architecture.denoiser(self.transformer, self.recorded)

    def _references(self, pictures: Sequence[ImageRequest]) -> ReferenceTokens | None:
        """What a batch is drawn beside: each picture's own photos, in sizes that are equal for all;
        None where it is drawn beside none."""
        if not pictures[0].shown:
            return None
        rows = [[self._latent(photo) for photo in picture.shown] for picture in pictures]
        pack = self._denoiser().pack
        tokens = [torch.cat([pack(latent[None])[0] for latent in row]) for row in rows]
        sizes = tuple((latent.shape[-2], latent.shape[-1]) for latent in rows[0])
        return ReferenceTokens(torch.stack(tokens), sizes)

    def _latent(self, photo: ShownPhoto) -> torch.Tensor:
        """A photo's latent [C, H, W]; each is encoded once."""
        if photo.pixel_hash not in self.shown:
            image = checked_image(photo.path, photo.pixel_hash)
            self.shown[photo.pixel_hash] = self.coding.encode(image)
        return self.shown[photo.pixel_hash]

    @property
    def coding(self) -> LatentCoding:
        """The VAE with its normalisation."""
        return self.base.architecture.latent_coding(self.vae)

    def _decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures as bytes."""
        return self._through_vae(self.coding.decode, latents)

    def _through_vae(self, way: Callable[[Any], torch.Tensor], given: Any) -> torch.Tensor:
        """One way through the VAE, in tiles from the first time that memory runs out."""
        try:
            return way(given)
        except torch.OutOfMemoryError:
            if self.vae.use_tiling:
                raise
        if self._forget_recordings():
            return self._through_vae(way, given)
        print(
            "warning: not enough memory for the VAE; working in tiles from now on", file=sys.stderr
        )
        torch.cuda.empty_cache()
        self.coding.decode_in_tiles(TILE)
        return way(given)


def drawing_work(pictures: Sequence[ImageRequest], base: OpenedBase) -> Work:
    """All steps of all pictures, by tokens of images alone: texts may not be read yet."""
    known, operations = base.architecture, 0.0
    kinds = Counter(
        (*one.size, one.settings["steps"], one.settings["guidance"]) for one in pictures
    )
    for (width, height, steps, guidance), count in kinds.items():
        tokens = known.tokens(height // known.latent_px, width // known.latent_px)
        passes = count * steps * (2 if base.cfg_scale(guidance) else 1)
        operations += roofline.operations(base.layout, tokens, 0, passes)
    sizes = {(one.size, one.shown_sizes) for one in pictures}
    return Work(counted(len(pictures), "picture"), operations, len(sizes))


def roomiest(places: Mapping[str, Any]) -> torch.device:
    """The device in use with most memory free."""
    devices = sorted({torch.device(place) for place in places.values()}, key=str)
    if len(devices) == 1:
        return devices[0]
    return max(devices, key=lambda device: torch.cuda.mem_get_info(device)[0])


def versions(device: torch.device | str) -> dict[str, str]:
    """What a picture was made with, for its own record: its bytes may differ with any of these."""
    return {
        "code_revision": code_revision(),
        "device": torch.device(device).type,
        **{name: metadata.version(name) for name in ("torch", "diffusers", "peft")},
    }
