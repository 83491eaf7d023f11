"""A picture of a camera, whole and not mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from capture_app.ui.looks.theme import current
from capture_app.ui.widgets.reader_roles import Role

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PictureView(QWidget):
    """As wide as its place, so many pixels high. `name` is what a screen reader says."""

    reader_role = Role.Graphic

    def __init__(self, name: str, height: int) -> None:
        super().__init__()
        self._image = QImage()
        self.setFixedHeight(height)
        self.setAccessibleName(name)

    def show_pixels(self, pixels: NDArray[np.uint8] | None) -> None:
        """Another picture, (rows, columns, 3) RGB; None: none."""
        if pixels is None:
            self._image = QImage()
        else:
            rows, columns = pixels.shape[:2]
            line = 3 * columns
            whole = QImage(pixels.tobytes(), columns, rows, line, QImage.Format.Format_RGB888)
            self._image = whole.copy()  # the bytes are not its own
        self.update()

    def show_image(self, image: QImage) -> None:
        """Another picture; a null one: none."""
        self._image = image
        self.update()

    @property
    def has_picture(self) -> bool:
        """Whether there is one."""
        return not self._image.isNull()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), current().control)
        if not self._image.isNull():
            size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(0, 0, size.width(), size.height())
            place.moveCenter(self.rect().center())
            painter.drawImage(place, self._image)
