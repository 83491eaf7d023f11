"""python -m tests.mutants [NAME...] [--quick] [--list]

Exit 1 where a fault survived, 2 where one could not be tried.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.mutant import Mutant, Outcome, Verdict
from tests.mutants.planting import Copy
from tests.mutants.table import MUTANTS

_COPIES = 2
"""As many at once as the machine has cores that `make test` uses."""


def main(argv: list[str]) -> int:
    """Plants what is named, or all of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("names", nargs="*", metavar="NAME", help="all unless told")
    parser.add_argument("--quick", action="store_true", help="those of `make test` alone")
    parser.add_argument("--list", action="store_true", help="names them and plants none")
    args = parser.parse_args(argv)
    chosen = [m for m in MUTANTS if not args.names or m.name in args.names]
    chosen = [m for m in chosen if m.quick or not args.quick]
    if unknown := set(args.names) - {m.name for m in MUTANTS}:
        parser.error(f"no such mutant: {', '.join(sorted(unknown))}")
    if args.list:
        print("\n".join(f"{m.name:<60} {m.file}" for m in chosen))
        return 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = [Copy(Path(folder) / f"{n}") for n in range(_COPIES)]
        named = list(dict.fromkeys(test for mutant in chosen for test in mutant.tests))
        if said := copies[0].failing(named):
            print(f"The tests do not pass as things stand: nothing was planted.\n{said}")
            return 2
        return _told(list(_tried(copies, chosen)))


def _tried(copies: Sequence[Copy], chosen: Sequence[Mutant]) -> Iterator[Outcome]:
    """The outcomes in the order of the table, each printed as it comes."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def try_out(mutant: Mutant) -> Outcome:
        copy = free.get()
        try:
            outcome = copy.try_out(mutant)
        finally:
            free.put(copy)
        print(f"{outcome.verdict:<9}{mutant.name} ({outcome.seconds:.0f} s)", flush=True)
        return outcome

    with ThreadPoolExecutor(len(copies)) as pool:
        yield from pool.map(try_out, chosen)


def _told(outcomes: Sequence[Outcome]) -> int:
    print(f"\n{'fault':<46}{'':<10}by")
    for outcome in outcomes:
        print(f"{outcome.mutant.name:<46}{outcome.verdict:<10}{outcome.said}")
    count = {verdict: sum(o.verdict is verdict for o in outcomes) for verdict in Verdict}
    print("\n" + ", ".join(f"{count[verdict]} {verdict}" for verdict in Verdict))
    if count[Verdict.ERROR]:
        return 2
    return 1 if count[Verdict.SURVIVED] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
