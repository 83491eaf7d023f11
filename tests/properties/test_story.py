"""Feed, exam, two windows, outbox and archive under any order of acts: no image carries another
patient's identity, another side than was shown at Send, or an identity that the feed had retired.
"""

import os
from random import Random

import pytest
from PySide6.QtWidgets import QApplication

from capture_app.model.procedure import Side
from tests.story.acts import WORK, Story
from tests.story.scenes import SCENES
from tests.story.steps import drawn

STEPS = 26
FEWEST = 4
"""Stories that are always told: between them they begin with every scene."""
SCENES_EACH = -(-len(SCENES) // FEWEST)


@pytest.mark.parametrize(
    "seed", range(max(FEWEST, int(os.environ.get("CAPTURE_TEST_STORIES", "0"))))
)
def test_the_window_never_lies(qapp: QApplication, seed: int) -> None:
    """Which acts and in which order hangs on the seed alone: a story is told again by it. How far
    what was asked in a hurry has come by the next act is the threads' own matter.
    """
    chance, story, told = Random(seed), Story(), []
    try:
        story.photographs(0, 0, WORK[0], Side.LEFT, 2, "send")
        for number in range(SCENES_EACH):
            scene = SCENES[(seed * SCENES_EACH + number) % len(SCENES)]
            told.append(scene.__name__)
            scene(story, chance)
        for _ in range(STEPS):
            step, chosen = drawn(chance)
            told.append(f"story.{step}(**{chosen})")
            getattr(story, step)(**chosen)
        story.end()
    except BaseException:
        print("\n".join(told))
        raise
    finally:
        story.close()
    assert story.truth.sealed
