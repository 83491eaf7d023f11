"""The body map: what a touch means, and what is painted, asked of the pixels."""

from itertools import pairwise

import pytest
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from capture_app.catalog.body_map import BodyMap, load_body_map
from capture_app.catalog.load import load_catalog
from capture_app.model.procedure import Side, SideRule
from capture_app.settings.schema import ThemeName
from capture_app.ui.looks import theme
from capture_app.ui.looks.theme import current
from capture_app.ui.words.shown import Selection
from capture_app.ui.workspace.body_map import BodyMapView
from capture_app.ui.workspace.figure import Figure

SHIN, UPPER_BACK = ("SCT", "25763004"), ("SCT", "699893008")


@pytest.fixture(scope="module")
def body_map() -> BodyMap:
    return load_body_map()


def painted(figure: Figure, selection: Selection | None) -> QImage:
    size = (int(figure.view.width), int(figure.view.height))
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(current().surface)
    painter = QPainter(image)
    figure.paint(painter, current(), 1.0)
    if selection is not None:
        figure.paint_selection(painter, current(), selection)
    painter.end()
    return image


def accent_share(image: QImage, figure: Figure, region_id: str) -> float:
    """How blue the middle of a region is: 0 not at all, 1 the accent itself."""
    at = figure.inside_point(region_id)
    assert at is not None
    seen, accent = image.pixelColor(at.toPoint()), current().accent
    plain = painted(figure, None).pixelColor(at.toPoint())
    return (seen.blue() - plain.blue()) / (accent.blue() - plain.blue())


def test_every_region_is_touched_where_it_is_drawn(body_map: BodyMap) -> None:
    count = 0
    for view in body_map.views.values():
        figure = Figure(view, body_map.hit_slop)
        for region in view.regions:
            at = figure.inside_point(region.region_id)
            assert at is not None, region.region_id
            touch = figure.touched(at)
            assert touch is not None
            assert touch.region.region_id == region.region_id
            assert touch.side is region.side
            count += 1
    assert count == 236


def test_a_touch_beside_a_limb_means_the_limb_and_far_away_means_nothing(
    body_map: BodyMap,
) -> None:
    figure = Figure(body_map.views["front"], body_map.hit_slop)
    shin = figure.inside_point("front.shin.R")
    assert shin is not None
    edge = next(x for x in range(int(shin.x()), 0, -1) if not inside(figure, QPointF(x, shin.y())))
    near = figure.touched(QPointF(edge - 10, shin.y()))
    assert near is not None
    assert near.region.region_id == "front.shin.R"
    assert figure.touched(QPointF(edge - 40, shin.y())) is None


def inside(figure: Figure, at: QPointF) -> bool:
    return Figure(figure.view, 0.0).touched(at) is not None


def test_the_patients_right_is_on_the_left_of_the_front_and_on_the_right_of_the_back(
    body_map: BodyMap,
) -> None:
    for name, right_first in (("front", True), ("back", False)):
        figure = Figure(body_map.views[name], body_map.hit_slop)
        middle = figure.view.width / 2
        for region in figure.view.regions:
            at = figure.inside_point(region.region_id)
            assert at is not None
            if region.side is Side.RIGHT:
                assert (at.x() < middle) is right_first, region.region_id
            if region.side is Side.LEFT:
                assert (at.x() > middle) is right_first, region.region_id


def test_one_side_is_painted_and_without_a_side_both_are_tinted(body_map: BodyMap) -> None:
    figure = Figure(body_map.views["front"], body_map.hit_slop)
    left = painted(figure, Selection(SHIN, Side.LEFT, side_is_open=False))
    assert accent_share(left, figure, "front.shin.L") > 0.95
    assert accent_share(left, figure, "front.shin.R") == 0
    open_side = painted(figure, Selection(SHIN, None, side_is_open=True))
    for side in "LR":
        assert 0.2 < accent_share(open_side, figure, f"front.shin.{side}") < 0.6
    both = painted(figure, Selection(SHIN, Side.BOTH, side_is_open=False))
    for side in "LR":
        assert accent_share(both, figure, f"front.shin.{side}") > 0.95


def wide(shape: QPainterPath, middle: int, y: int) -> bool:
    """Whether a region is there well to both sides of the middle, and around that height."""
    return all(shape.contains(QPointF(middle + x, y + up)) for x in (-32, 0, 32) for up in (-4, 4))


def test_midline_is_a_band_and_a_half_is_a_half(body_map: BodyMap) -> None:
    figure = Figure(body_map.views["back"], body_map.hit_slop)
    shape = next(s for r, s in figure._shapes if (r.scheme, r.code) == UPPER_BACK)
    middle = int(figure.view.width / 2)
    rows = range(int(shape.boundingRect().top()), int(shape.boundingRect().bottom()))
    y = next(y for y in rows if wide(shape, middle, y))

    def blue(image: QImage, x: int) -> bool:
        return image.pixelColor(x, y) == QColor(current().accent)

    midline = painted(figure, Selection(UPPER_BACK, Side.MIDLINE, side_is_open=False))
    assert [blue(midline, middle + x) for x in (-30, 0, 30)] == [False, True, False]
    left = painted(figure, Selection(UPPER_BACK, Side.LEFT, side_is_open=False))
    assert [blue(left, middle + x) for x in (-20, 20)] == [True, False]  # the back: left is left


@pytest.mark.parametrize("theme_name", [ThemeName.DARK, ThemeName.LIGHT, ThemeName.DIM])
def test_each_site_lights_something_or_the_map_says_that_it_is_not_drawn(
    dressed: QApplication, body_map: BodyMap, qtbot: QtBot, theme_name: ThemeName
) -> None:
    theme.apply(dressed, theme_name)
    view = BodyMapView(body_map, ("front", "back"), small=True)
    qtbot.addWidget(view)
    view.resize(152, 170)
    plain = view.grab().toImage()
    legs = QRect(0, 0, 152, 148)  # above the line of words
    sides: dict[SideRule, tuple[Side | None, ...]] = {
        SideRule.PAIRED: (None, Side.RIGHT, Side.LEFT, Side.BOTH),
        SideRule.SIDE_OR_MIDLINE: (None, Side.RIGHT, Side.LEFT, Side.MIDLINE),
        SideRule.LEFT_ONLY: (Side.LEFT,),
    }
    count, seen = 0, set()
    for region in load_catalog().regions:
        count += 1
        shown = body_map.shown_at(region.code.key, ("front", "back"))
        for side in sides.get(region.side_rule, (None,)):
            if (shown, side) in seen:
                continue  # the same picture as of another site
            seen.add((shown, side))
            view.show_selection(Selection(region.code.key, side, side_is_open=False))
            is_drawn = view.grab(legs).toImage() != plain.copy(legs)
            says = view.items.accessibleDescription()
            assert is_drawn is not says.startswith("Not drawn"), (region.label, side)
            if not is_drawn:
                assert view.grab().toImage() != plain, region.label  # in words
    assert count == 474


def test_the_nearest_drawn_site_has_a_dotted_edge_and_its_own_side(
    body_map: BodyMap, qtbot: QtBot
) -> None:
    figure = Figure(body_map.views["front"], body_map.hit_slop)
    femur = ("SCT", "71341001")
    shown = body_map.shown_at(femur, ("front",))
    image = painted(figure, None)
    painter = QPainter(image)
    figure.paint_shown(painter, current(), shown.sites, Side.LEFT)
    painter.end()
    assert 0.15 < accent_share(image, figure, "front.thigh.L") < 0.5
    assert accent_share(image, figure, "front.thigh.R") == 0
    shape = next(s for r, s in figure._shapes if r.region_id == "front.thigh.L")
    edge = [shape.pointAtPercent(n / 400).toPoint() for n in range(400)]
    is_dot = [image.pixelColor(point).lightness() > 200 for point in edge]
    assert sum(a != b for a, b in pairwise(is_dot)) > 40  # dots and gaps in turn


def test_the_words_name_the_nearest_drawn_site(body_map: BodyMap, qtbot: QtBot) -> None:
    view = BodyMapView(body_map, ("front", "back"), small=True)
    qtbot.addWidget(view)

    def says(code: str) -> str:
        view.show_selection(Selection(("SCT", code), None, side_is_open=False))
        assert view.items.accessibleDescription() == view.shown_words
        return view.shown_words

    assert says("79502000") == "Shown at: Ear, the nearest drawn site"
    assert says("71341001") == "Shown at: Thigh, front; Thigh, back, the nearest drawn sites"
    assert says("30021000") == (
        "Shown at its parts: Lower leg, front (shin); Lower leg, back (calf)"
    )
    assert says("48014002") == "Not drawn here. On the large map: Pelvic skin"
    assert says("706342009") == "Not drawn on the map"
    assert says("25763004") == ""
    assert says("38266002").endswith(" more")


def test_a_click_tells_code_and_side(body_map: BodyMap, qtbot: QtBot) -> None:
    view = BodyMapView(body_map, ("front", "back"), small=False)
    qtbot.addWidget(view)
    view.resize(600, 600)
    told: list[tuple[str, str, str]] = []
    view.touched.connect(lambda *what: told.append(what))
    for region_id in ("front.shin.R", "back.calf.L", "front.sternum"):
        at = view.point_of(region_id)
        assert at is not None
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=at.toPoint())
    assert told == [
        ("SCT", "25763004", "R"),
        ("SCT", "47224004", "L"),
        ("SCT", "244107007", ""),
    ]
