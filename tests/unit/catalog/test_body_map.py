"""The body map and the catalogue say the same of every region that is drawn."""

import re

import pytest

from capture_app.catalog.body_map import BodyMap, BodyMapRegion, load_body_map
from capture_app.catalog.catalog import Catalog
from capture_app.catalog.load import load_catalog
from capture_app.model.procedure import Side, SideRule


@pytest.fixture(scope="module")
def body_map() -> BodyMap:
    return load_body_map()


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def regions(body_map: BodyMap) -> list[BodyMapRegion]:
    return [region for view in body_map.views.values() for region in view.regions]


def test_all_views_are_there(body_map: BodyMap) -> None:
    assert list(body_map.views)[:2] == ["front", "back"]
    assert len(body_map.views) == 12
    assert len(regions(body_map)) == 236
    assert len({region.region_id for region in regions(body_map)}) == 236


def test_every_drawn_region_is_in_the_catalogue_with_its_side_rule(
    body_map: BodyMap, catalog: Catalog
) -> None:
    for drawn in regions(body_map):
        coded = catalog.region(drawn.code, drawn.scheme)
        assert coded is not None, drawn.region_id
        assert coded.side_rule is drawn.side_rule, drawn.region_id


def test_a_touch_fills_in_a_side_that_the_region_allows(body_map: BodyMap) -> None:
    for drawn in regions(body_map):
        if drawn.side_rule is SideRule.PAIRED:
            assert drawn.side in {Side.RIGHT, Side.LEFT}, drawn.region_id
        assert drawn.side is not Side.MIDLINE


def test_views_know_where_they_lead_and_which_side_is_which(body_map: BodyMap) -> None:
    assert body_map.views["front"].left_of_picture is Side.RIGHT
    assert body_map.views["back"].left_of_picture is Side.LEFT
    assert body_map.views["hand_palm_L"].side is Side.LEFT
    for drawn in regions(body_map):
        if not drawn.zoom:
            continue
        zoomed = body_map.views[drawn.zoom]
        assert zoomed.side in {None, drawn.side}, drawn.region_id


def test_paths_are_of_four_commands_and_inside_their_view(body_map: BodyMap) -> None:
    for view in body_map.views.values():
        for path in (view.silhouette, *view.details, *(r.path for r in view.regions)):
            assert re.fullmatch(r"[MLCZ0-9. \-]+", path)
            numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", path)]
            assert all(-1 <= x <= view.width + 1 for x in numbers[::2])
            assert all(-1 <= y <= view.height + 1 for y in numbers[1::2])


def test_labels_agree_with_the_catalogue(body_map: BodyMap, catalog: Catalog) -> None:
    labels: dict[tuple[str, str], set[str]] = {}
    for drawn in regions(body_map):
        labels.setdefault((drawn.scheme, drawn.code), set()).add(drawn.label)
    for (scheme, code), drawn_labels in labels.items():
        coded = catalog.region(code, scheme)
        assert coded is not None
        assert coded.label in drawn_labels
