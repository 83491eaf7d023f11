"""A child process that takes the admissions feed of a data folder until it is killed."""

import os
import sys
import threading
from pathlib import Path

from capture_app.clock import SystemClock
from capture_app.patients.census.census import open_census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings import log
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher

log.configure(None, console_level="critical")
folder, clock = Path(sys.argv[1]), SystemClock()
feed = AdtFeed(port=0, assigning_authority="HOSP")
census = open_census(folder, Cipher(bytes(32)), clock, Settings(data_dir=folder, adt=feed))
receiver = AdtReceiver(census, feed, clock)
receiver.start()
os.write(1, f"PORT {receiver.port}\n".encode())
threading.Event().wait()
