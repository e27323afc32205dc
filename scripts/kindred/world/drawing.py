"""Turns a scene into a picture with its truth: boxes, heads and a mask of who is where.

Pillow's ImageDraw at four times the size, then one reduction: the same scene gives the same
bytes everywhere.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from PIL import Image, ImageDraw

from kindred.world import body, hair
from kindred.world.face import draw_face, features
from kindred.world.pen import Pen
from kindred.world.places import draw_backdrop, draw_foreground
from kindred.world.scene import Figure, Scene, front_row, hugged
from kindred.world.vocabulary import PAINT

SUPERSAMPLING = 4
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Drawing:
    """A picture and its truth, in pixels of the picture; lists follow the scene's figures.

    masks: an "L" image, figure index + 1 where that person is seen, 0 elsewhere.
    """

    image: Image.Image
    boxes: list[Box]
    heads: list[Box]
    masks: Image.Image | None


def draw(scene: Scene, scale: int = 1, masks: bool = True) -> Drawing:
    """Draw natively at (width * scale, height * scale); `masks=False` saves a little time."""
    zoom = SUPERSAMPLING * scale
    canvas = Image.new("RGB", (scene.width * zoom, scene.height * zoom))
    size = (scene.width * scale, scene.height * scale)
    mask = Image.new("L", size) if masks else None
    pen = Pen(ImageDraw.Draw(canvas), ImageDraw.Draw(mask) if masks else None, zoom)
    pen.mask_zoom = SUPERSAMPLING
    draw_backdrop(pen, scene.place, scene.width, scene.height, scene.variation)
    for figure in scene.figures:
        if figure.pose == "sitting":
            body.draw_seat(pen.at(figure.x, figure.y, figure.unit), figure.person.kind)
    boxes = {}
    front = front_row(scene)
    for index in sorted(range(len(scene.figures)), key=lambda k: k in front):
        pen.begin(index + 1)
        _draw_figure(pen, scene, index, scene.figures[index])
        boxes[index] = _clip(pen.bounds, size)
    for index, figure in enumerate(scene.figures):
        if figure.pose == "hugging":
            pen.begin(index + 1)
            _arms(pen, scene, index, figure)
    draw_foreground(pen, scene.place, scene.width, scene.height, scene.variation)
    heads = [_clip([v * scale for v in figure.head], size) for figure in scene.figures]
    ordered = [boxes[index] for index in range(len(boxes))]
    return Drawing(canvas.reduce(SUPERSAMPLING), ordered, heads, mask)


def _draw_figure(pen: Pen, scene: Scene, index: int, figure: Figure) -> None:
    person = figure.person
    f = features(person)
    x, y, u = figure.x, figure.y, figure.unit

    pen.at(x, y, u, figure.roll)
    hair.back(pen, f, person.hair_style)
    pen.at(x, y, u)
    paint = PAINT[figure.clothes_colour]
    body.draw_body(pen, person.kind, figure.clothes, paint, figure.pose, f.skin)
    if figure.pose != "hugging":
        _arms(pen, scene, index, figure)
    pen.at(x, y, u, figure.roll)
    draw_face(pen, person, figure.expression, figure.gaze, figure.turn)
    covered = figure.hat is not None
    hair.front(pen, f, person.hair_style, covered)
    if covered:
        hair.draw_hat(pen, f, figure.hat, PAINT[figure.hat_colour])


def _arms(pen: Pen, scene: Scene, index: int, figure: Figure) -> None:
    person, u = figure.person, figure.unit
    pen.at(figure.x, figure.y, u)
    reach = None
    if figure.pose == "hugging" and len(scene.figures) > 1:
        reach = _hug_point(scene, index)
    body.draw_arms(
        pen,
        person.kind,
        figure.clothes,
        PAINT[figure.clothes_colour],
        figure.pose,
        features(person).skin,
        reach,
    )


def _hug_point(scene: Scene, index: int) -> tuple[float, float]:
    """Where the hand lies: on the neighbour's near side, below the face; local units."""
    figure, other = scene.figures[index], scene.figures[hugged(scene, index)]
    towards = 1 if other.x > figure.x else -1
    px = other.x - towards * 0.25 * other.unit
    py = other.y + 1.52 * other.unit
    return ((px - figure.x) / figure.unit, (py - figure.y) / figure.unit)


def _clip(box: list[float], size: tuple[int, int]) -> Box:
    x0, y0, x1, y1 = box
    return (
        round(max(0.0, x0), 2),
        round(max(0.0, y0), 2),
        round(min(float(size[0]), x1), 2),
        round(min(float(size[1]), y1), 2),
    )


def truth(scene: Scene, drawing: Drawing) -> dict:
    """Everything that is true of a drawing, ready for JSON."""
    people = []
    for figure, box, head in zip(scene.figures, drawing.boxes, drawing.heads, strict=True):
        facts = asdict(figure)
        person = facts.pop("person")
        people.append(person | facts | {"box": list(box), "head": list(head)})
    return {
        "width": drawing.image.width,
        "height": drawing.image.height,
        "place": scene.place,
        "framing": scene.framing,
        "people": people,
    }
