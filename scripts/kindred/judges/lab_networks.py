"""The lab's judge as networks: a finder, a face embedder, an attribute reader, and their file form.

Knows shapes, crops and how the three are saved and loaded; knows nothing of the drawn world (the
words it answers with are in its configuration), of training, or of what a score means.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from kindred.common.errors import KindredError
from kindred.common.files import atomic_write, read_json, write_json

BOX_UNIT = 16.0  # px; box distances are regressed in this unit
STRIDE = 4  # px per cell of the heat map
ANOTHER = "name another folder, or train a judge with scripts/lab_train_judge.py"


@dataclass(frozen=True)
class JudgeConfig:
    """Everything that is not a weight. Words are class names in the order of the outputs."""

    attributes: dict[str, list[str]]  # of a person: name -> classes
    scene: dict[str, list[str]]  # of the whole image: place, framing
    traits: list[str]
    finder_widths: tuple[int, ...] = (24, 48, 72, 96)
    face_widths: tuple[int, ...] = (36, 64, 112, 144)
    face_blocks: tuple[int, ...] = (2, 2, 2, 1)
    reader_widths: tuple[int, ...] = (24, 40, 72, 96)
    embedding: int = 96
    face_px: int = 80
    face_margin: float = 1.2
    reader_head_px: int = 64
    reader_head_margin: float = 1.5
    reader_body_px: int = 64
    threshold: float = 0.3
    calibration: dict[str, float] = field(default_factory=dict)

    @classmethod
    def from_json(cls, path: Path | str) -> JudgeConfig:
        """Read a configuration. Raises KindredError when keys are missing or unknown."""
        raw = read_json(path)
        known = {f.name for f in fields(cls)}
        wrong = sorted(set(raw) - known) + sorted({"attributes", "scene", "traits"} - set(raw))
        if wrong:
            what = f"is not the configuration of a lab judge (see {', '.join(wrong)})"
            raise KindredError(what, str(path), ANOTHER)
        return cls(
            **{k: tuple(v) if k.endswith(("widths", "blocks")) else v for k, v in raw.items()}
        )


def norm_conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution with batch norm, no activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs)
    )


class Residual(nn.Module):
    """Two 3x3 convolutions around a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = norm_conv(width, width), norm_conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(F.relu(self.first(x))))


class Stage(nn.Module):
    """Halve the resolution, then residual blocks."""

    def __init__(self, inputs: int, outputs: int, blocks: int, kernel: int = 3) -> None:
        super().__init__()
        self.down = norm_conv(inputs, outputs, kernel, 2)
        self.blocks = nn.Sequential(*(Residual(outputs) for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(F.relu(self.down(x)))


class Finder(nn.Module):
    """Image [B, 3, H, W] in [-1, 1], sides multiples of 16 -> heat, boxes, scene logits.

    heat: logits [B, H/4, W/4] of head centres. boxes: [B, 8, H/4, W/4], distances from the cell's
    centre to left, top, right, bottom of the head box, then of the person box, in BOX_UNIT px.
    The shape of the targets follows "Objects as Points" (arXiv 1904.07850) and FCOS
    (arXiv 1904.01355).
    """

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__()
        a, b, c, d = config.finder_widths
        self.stem = Stage(3, a, 0, kernel=5)
        self.s4, self.s8, self.s16 = Stage(a, b, 1), Stage(b, c, 1), Stage(c, d, 2)
        self.lateral16, self.lateral8 = nn.Conv2d(d, b, 1), nn.Conv2d(c, b, 1)
        self.merge8, self.merge4 = norm_conv(b, b), norm_conv(b, b)
        self.neck = norm_conv(b, b)
        self.out = nn.Conv2d(b, 9, 1)
        self.scene = nn.ModuleDict({n: nn.Linear(2 * d, len(w)) for n, w in config.scene.items()})
        nn.init.constant_(self.out.bias[:1], -4.0)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        x4 = self.s4(self.stem(image))
        x8 = self.s8(x4)
        x16 = self.s16(x8)
        y8 = F.relu(self.merge8(self.lateral8(x8) + double(self.lateral16(x16))))
        y4 = F.relu(self.merge4(x4 + double(y8)))
        out = self.out(F.relu(self.neck(y4))).float()
        pooled = torch.cat([x16.mean((2, 3)), x16.amax((2, 3))], 1)
        return out[:, 0], out[:, 1:], {n: f(pooled).float() for n, f in self.scene.items()}


def double(x: Tensor) -> Tensor:
    """Twice the resolution, nearest neighbour."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class FaceEmbedder(nn.Module):
    """Head crop [B, 3, S, S] in [-1, 1] -> unit embedding [B, D] whose cosine is likeness.

    `read_traits` is linear in the embedding, so that the traits can be read from it by anyone.
    The last map is flattened, not averaged: where a mole sits is identity.
    """

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__()
        widths, blocks = config.face_widths, config.face_blocks
        stages = [Stage(3, widths[0], blocks[0], kernel=5)]
        stages += [Stage(widths[i], widths[i + 1], blocks[i + 1]) for i in range(len(widths) - 1)]
        self.stages = nn.Sequential(*stages)
        self.squeeze = norm_conv(widths[-1], 32, 1)
        cells = (-(-config.face_px // 2 ** len(widths))) ** 2
        self.project = nn.Linear(32 * cells, config.embedding)
        self.read_traits = nn.Linear(config.embedding, len(config.traits))

    def forward(self, crop: Tensor) -> Tensor:
        x = F.relu(self.squeeze(self.stages(crop)))
        return F.normalize(self.project(x.flatten(1)).float(), dim=1)


class AttributeReader(nn.Module):
    """Head crop, body crop [B, 3, S, S], geometry [B, 6] -> logits per attribute [B, words]."""

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__()
        widths = (3, *config.reader_widths)
        self.head, self.body = (
            nn.Sequential(*(Stage(i, o, int(n > 0)) for n, (i, o) in enumerate(pairwise(widths))))
            for _ in range(2)
        )
        self.mix = nn.Linear(4 * widths[-1] + 6, 128)
        self.out = nn.ModuleDict({n: nn.Linear(128, len(w)) for n, w in config.attributes.items()})

    def forward(self, head: Tensor, body: Tensor, geometry: Tensor) -> dict[str, Tensor]:
        maps = [self.head(head), self.body(body)]
        parts = [m.mean((2, 3)) for m in maps] + [m.amax((2, 3)) for m in maps] + [geometry]
        mixed = F.relu(self.mix(torch.cat(parts, 1)))
        return {name: layer(mixed).float() for name, layer in self.out.items()}


class Judge(nn.Module):
    """The three networks and their configuration, as one thing to save and load."""

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__()
        self.config = config
        self.finder = Finder(config)
        self.face = FaceEmbedder(config)
        self.reader = AttributeReader(config)

    def face_crops(
        self, images: Tensor, index: Tensor | None, heads: Tensor, sizes: Tensor
    ) -> Tensor:
        """Square head crops for the embedder; arguments as for `crop`."""
        box = squared(heads, self.config.face_margin)
        return crop(images, index, box, self.config.face_px, sizes)

    def reader_crops(
        self, images: Tensor, index: Tensor | None, heads: Tensor, boxes: Tensor, sizes: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Head and body crops for the reader; arguments as for `crop`."""
        config = self.config
        head = squared(heads, config.reader_head_margin)
        return (
            crop(images, index, head, config.reader_head_px, sizes),
            crop(images, index, boxes, config.reader_body_px, sizes),
        )


def geometry(heads: Tensor, boxes: Tensor, sizes: Tensor) -> Tensor:
    """[M, 6]: how large head and person are in their image and how they sit to each other."""
    scale = sizes.repeat(1, 2).to(heads.dtype)
    head, box = heads / scale, boxes / scale
    head_size, box_size = head[:, 2:] - head[:, :2], box[:, 2:] - box[:, :2]
    return torch.cat([head_size, box_size, head[:, 1:2], box[:, 1:2]], 1) * 2 - 1


def squared(boxes: Tensor, margin: float) -> Tensor:
    """Boxes [M, 4] px -> squares around their centres, side = margin x the longer side."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True) * (margin / 2)
    return torch.cat([centre - half, centre + half], 1)


def crop(
    images: Tensor, index: Tensor | None, boxes: Tensor, side: int, sizes: Tensor | None = None
) -> Tensor:
    """Cut boxes out of images and resize each to side x side.

    images [N, 3, H, W]; index [M] says which image (None: one box an image); boxes [M, 4] in px,
    may reach outside: the border is repeated. sizes [M, 2]: width and height of the part of each
    image that is picture, when it lies on a larger canvas. Sampled bilinearly at twice the side,
    then averaged 2x2, against aliasing.
    """
    height, width = images.shape[2:]
    steps = (torch.arange(2 * side, device=boxes.device, dtype=boxes.dtype) + 0.5) / (2 * side)
    x = boxes[:, 0:1] + (boxes[:, 2:3] - boxes[:, 0:1]) * steps
    y = boxes[:, 1:2] + (boxes[:, 3:4] - boxes[:, 1:2]) * steps
    if sizes is not None:
        x = x.clamp(min=0.5).minimum(sizes[:, :1] - 0.5)
        y = y.clamp(min=0.5).minimum(sizes[:, 1:] - 0.5)
    x, y = x * (2 / width) - 1, y * (2 / height) - 1
    grid = torch.stack(
        [x[:, None, :].expand(-1, 2 * side, -1), y[:, :, None].expand(-1, -1, 2 * side)], -1
    )
    source = images if index is None else images[index]
    cut = F.grid_sample(source, grid, "bilinear", "border", align_corners=False)
    return F.avg_pool2d(cut, 2)


def save_judge(judge: Judge, folder: Path | str) -> None:
    """Write config.json and model.safetensors (16-bit floats) into `folder`, atomically."""
    folder = Path(folder)
    state = {
        name: value.detach().cpu().to(torch.float16).contiguous()
        for name, value in judge.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    with atomic_write(folder / "model.safetensors") as temporary:
        save_file(state, temporary, metadata={"format": "pt"})
    write_json(folder / "config.json", asdict(judge.config))


def load_judge(folder: Path | str) -> Judge:
    """Load a judge in float32, in evaluation mode. Raises KindredError when it is no lab judge."""
    folder = Path(folder)
    if not (folder / "model.safetensors").exists():
        what = "contains no lab judge (config.json and model.safetensors)"
        raise KindredError(what, str(folder), ANOTHER)
    judge = Judge(JudgeConfig.from_json(folder / "config.json"))
    state = {name: value.float() for name, value in load_file(folder / "model.safetensors").items()}
    missing, unexpected = judge.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        what = f"the weights don't fit config.json ({[*missing, *unexpected][:3]})"
        raise KindredError(what, str(folder), ANOTHER)
    return judge.eval()
