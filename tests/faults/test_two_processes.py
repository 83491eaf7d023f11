"""Several processes on one data folder: one delivers, the others write, notice and stand ready."""

import os
import signal
from pathlib import Path

from tests.faults.kills import Children
from tests.faults.shutter import PICTURES, Order
from tests.peers import HOST, Orthanc
from tests.waiting import Eventually


def heard(children: Children, *beginnings: str) -> str:
    """The next line that begins so; what comes before is passed over."""
    while not (line := children.line()).startswith(beginnings):
        pass
    return line


def test_one_engine_and_another_takes_over_from_the_dead(
    three_children: list[Children], orthanc: Orthanc, tmp_path: Path, eventually: Eventually
) -> None:
    archive = {
        "name": "pacs",
        "host": HOST,
        "port": orthanc.dicom_port,
        "ae_title": orthanc.aet,
        "url": orthanc.dicomweb,
        "user": orthanc.auth[0],
        "password_key": "pacs-password",
    }
    folder = tmp_path / "data"
    folder.mkdir()
    serve = Order("serve", str(folder), "900001", archive)
    leader, follower, writer = three_children
    leading = leader.begin(serve)
    assert heard(leader, "LEADS")
    follower.begin(serve)
    assert follower.line() == "SERVES"

    # A third process takes pictures and sends; the follower hears of it, the leader delivers.
    life = writer.run(Order("shoot", str(folder), "900001", archive))
    assert life.said[-1] == "SENT"
    heard(follower, f"CHANGED {life.safe[0][0]}")
    eventually(lambda: len(orthanc.sop_instance_uids()) == PICTURES)

    os.kill(leading, signal.SIGKILL)
    assert heard(follower, "LEADS", "ENDED") == "LEADS"

    again = writer.run(Order("shoot", str(folder), "900002", archive))
    wanted = sorted(uid for uid, _ in (*life.safe, *again.safe))
    eventually(lambda: orthanc.sop_instance_uids() == wanted)
    finish = writer.run(Order("finish", str(folder), "900001", archive, within=1.0))
    assert finish.said == (), "who does not lead delivers nothing, and says nothing of it"
    follower.send("stop")
    assert heard(follower, "ENDED") == "ENDED 0"
    finish = writer.run(Order("finish", str(folder), "900001", archive))
    assert finish.said == ("CONFIRMED",)
    assert orthanc.sop_instance_uids() == wanted
    assert leader.rest().was_killed
