"""The rules of tests/conftest.py bite: each planted offence fails its test, and only its test."""

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

OFFENCES = """
import logging, os, pathlib, threading, warnings
import pytest, structlog
from tests import conftest

conftest._THREADS_END_WITHIN_S = 0.1  # for the thread that never ends
log = structlog.get_logger()

def test_good_quiet(): pass

def test_good_says_what_is_no_trouble():
    log.info("sent", uid="1.2")

@pytest.mark.expects_log("refused", "lost")
def test_good_announced():
    logging.getLogger("x").error("refused by the archive")
    log.warning("camera lost")

def test_bad_logs_a_warning():
    logging.getLogger("x").warning("a")

def test_bad_logs_by_structlog():
    log.error("a")

def test_bad_logs_a_key_that_may_carry_a_patient():
    log.info("admitted", patient_name="x")

@pytest.mark.expects_log("refused")
def test_bad_announced_but_silent(): pass

@pytest.mark.expects_log("refused")
def test_bad_logs_more_than_announced():
    log.warning("refused")
    log.warning("lost")

def test_bad_leaves_a_thread():
    threading.Thread(target=threading.Event().wait, args=(20,), daemon=True, name="left").start()

def test_bad_warns():
    warnings.warn("deprecated")

def test_good_home_is_not_the_real_one(home):
    assert pathlib.Path.home() == home and not home.exists()
    import keyring
    keyring.set_password("s", "u", "p")
    assert keyring.get_password("s", "u") is None

def test_good_clock_stands(clock):
    assert clock.now() == clock.now()

def test_bad_waits_in_vain(eventually):
    eventually(lambda: False, timeout=0.05)
"""


UNKNOWN_MARKER = """
import pytest

@pytest.mark.unknown_mark
def test_marked(): pass
"""


def test_every_offence_is_caught_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "test_planted.py").write_text(OFFENCES, encoding="utf-8")
    (tmp_path / "test_marker.py").write_text(UNKNOWN_MARKER, encoding="utf-8")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest"]
    argv += ["-c", str(REPOSITORY / "pyproject.toml"), "--rootdir", str(tmp_path), str(tmp_path)]
    argv += ["--continue-on-collection-errors"]
    run = subprocess.run(
        argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=100, check=False
    )
    caught = set(re.findall(r"^(?:FAILED|ERROR) \S+::(test_\w+)", run.stdout, re.MULTILINE))
    assert caught == set(re.findall(r"def (test_bad_\w+)", OFFENCES)), run.stdout + run.stderr
    assert "'unknown_mark' not found in `markers`" in run.stdout
