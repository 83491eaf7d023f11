"""python -m tests.bench [NAME...] [--rounds N] [--dir FOLDER] [--write]

Exit 1 where a goal is missed.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import feed, report, seal, send, shutter, start
from tests.bench.measures import Measure, all_met
from tests.bench.workshop import Workshop, open_workshop

MEASURES: dict[str, Callable[[Workshop], Iterator[Measure]]] = {
    "seal": seal.measure,
    "send": send.measure,
    "feed": feed.measure,
    "shutter": shutter.measure,
    "start": start.measure,
}

_DISK = Path("/var/tmp")  # noqa: S108 - unlike /tmp never in memory; a folder of our own is made


def main(argv: list[str]) -> int:
    """Runs what is named, or all of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASURES)}")
    parser.add_argument("--rounds", type=int, default=5, help="5 unless told")
    parser.add_argument("--dir", type=Path, default=_DISK, help="a folder on the disk to use")
    parser.add_argument("--write", action="store_true", help=f"write {report.PAGE.name} too")
    args = parser.parse_args(argv)
    names = args.names or list(MEASURES)
    if unknown := set(names) - set(MEASURES):
        parser.error(f"no such measure: {', '.join(sorted(unknown))}")
    if args.write and set(names) != set(MEASURES):
        parser.error("--write takes all measures: the page is written as a whole")
    load = os.getloadavg()[0]
    measures: list[Measure] = []
    with open_workshop(args.dir, args.rounds) as shop:
        for name in names:
            for measure in MEASURES[name](shop):
                print(f"{measure.what}: {measure.figure} {measure.verdict}", flush=True)
                measures.append(measure)
        found = report.circumstances(shop.clock, shop.folder, load)
    print("\n" + report.table(measures) + "\n")
    print("\n".join(found.lines()))
    if args.write:
        report.write_page(measures, found, rounds=args.rounds)
    return 0 if all_met(measures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
