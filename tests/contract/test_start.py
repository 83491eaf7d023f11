"""What is not read before the list of patients is shown; the bench measures what that saves."""

import json
import subprocess
import sys

_FOR_THE_LIST = (
    "import json, sys\n"
    "from capture_app import bootstrap\n"
    "from capture_app.cli import desktop\n"
    "from capture_app.ui.shell import app\n"
    "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
)


def test_the_list_waits_for_no_library_that_it_does_not_need() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FOR_THE_LIST], check=True, capture_output=True, text=True
    )
    read = set(json.loads(done.stdout))
    assert {"PySide6", "capture_app"} <= read
    assert not read & {"PIL", "cv2", "numpy", "pydicom", "pynetdicom", "requests", "urllib3"}
