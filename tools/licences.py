"""Nothing that ships is under the GPL: distributions, and the libraries their wheels bring along.

Every distribution that the app needs, and every shared library in it, has to be named with its
licence in licences.toml; what is not named is a fault, so that a new version which brings something
new is looked at by a person. `python -m tools.licences` prints the faults and exits 1.
"""

import ctypes
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from PIL import features

_POLICY = Path(__file__).with_name("licences.toml")
_OURS = "capture-app"
_LIBRARY = re.compile(r"(\.so(\.[\w.]+)?|\.dylib|\.dll|\.pyd)$")
_PYTHON_EXTENSION = re.compile(r"\.(cpython-[^.]+\.so|abi3\.so|pyd)$")
# what a build adds to a library's own name: hash, version, .so
_DECORATION = re.compile(r"(-[0-9a-f]{8}(?=[-.])|-r\d+(?=-)|\.abi3|\.so|\.dylib|\.dll)[-.\w]*$")
_GPL = re.compile(r"(?<![A-Za-z])A?GPL|GNU (Affero )?General Public", re.IGNORECASE)
_LINKING_EXCEPTION = re.compile(r" WITH (GCC|Classpath)-exception-[\d.]+")
_QT_DISTRIBUTIONS = {"pyside6-essentials", "shiboken6"}


@dataclass(frozen=True, slots=True)
class Policy:
    """What may ship: the licence of each distribution and library, and the Qt modules."""

    distributions: Mapping[str, str]
    libraries: Mapping[str, str]
    qt_modules: frozenset[str]

    @classmethod
    def read(cls, path: Path = _POLICY) -> "Policy":
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        modules = frozenset(table["qt"]["modules"])
        return cls(table["distributions"], table["libraries"], modules)


def shipped() -> list[Distribution]:
    """The distributions that the app needs at run time on this platform, without the app itself."""
    found: dict[str, Distribution] = {}
    waiting = [_OURS]
    while waiting:
        name = canonical(waiting.pop())
        if name in found:
            continue
        found[name] = distribution(name)
        for line in found[name].requires or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    del found[_OURS]
    return [found[name] for name in sorted(found)]


def canonical(name: str) -> str:
    """The name as package indexes compare it: `Jaraco.Classes` is `jaraco-classes`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(dist: Distribution) -> str:
    """The licence in the words of the distribution's own metadata."""
    metadata = dist.metadata
    for key in ("License-Expression", "License"):
        if texts := metadata.get_all(key):
            return str(texts[0]).strip()
    classifiers = metadata.get_all("Classifier") or []
    return " AND ".join(c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License ::"))


def is_gpl(licence: str) -> bool:
    """True where no alternative of the expression is free of the GPL."""
    alternatives = _LINKING_EXCEPTION.sub(" with a linking exception", licence).split(" OR ")
    return all(_GPL.search(a) and "linking exception" not in a for a in alternatives)


def library_name(file_name: str) -> str:
    """`libaom-a0d22147.so.3.14.1` is `libaom`."""
    return _DECORATION.sub("", file_name)


def faults(dists: Iterable[Distribution], policy: Policy) -> Iterator[str]:
    """One sentence for each thing that may not ship or is not known."""
    for dist in dists:
        name = canonical(dist.name)
        licence = policy.distributions.get(name)
        if licence is None:
            yield f"{name}: not in licences.toml (it declares: {declared(dist)!r})"
        elif licence != declared(dist):
            yield f"{name}: declares {declared(dist)!r}, licences.toml has {licence!r}"
        if is_gpl(declared(dist)):
            yield f"{name}: under the GPL"
        for path in binaries(dist):
            if ships(name, path, policy):
                yield from _library_faults(name, path, policy)


def _library_faults(dist_name: str, path: Path, policy: Policy) -> Iterator[str]:
    if _PYTHON_EXTENSION.search(path.name):
        return  # the distribution's own code, under its licence
    licence = policy.libraries.get(library_name(path.name))
    if licence is None:
        yield f"{dist_name}: brings {path.name}, which licences.toml does not name"
    elif is_gpl(licence):
        yield f"{dist_name}: brings {path.name}, under the GPL"


def binaries(dist: Distribution) -> Iterator[Path]:
    """The shared libraries and extension modules of an installed distribution."""
    for file in dist.files or []:
        if _LIBRARY.search(file.name):
            yield Path(str(dist.locate_file(file)))


def ships(dist_name: str, path: Path, policy: Policy) -> bool:
    """False for the parts of the Qt wheels that the app does not use; an installer leaves them."""
    if dist_name not in _QT_DISTRIBUTIONS:
        return True
    if re.fullmatch(r"Qt\w+\.abi3\.so|Qt\w+\.pyd", path.name):
        return path.name.partition(".")[0] in policy.qt_modules
    return path.name.startswith("Shiboken.") or library_name(path.name) in policy.libraries


def built_in_faults(dists: Iterable[Distribution]) -> Iterator[str]:
    """Asks the libraries that can be built with or without GPL parts how they were built."""
    for path in (p for dist in dists for p in binaries(dist)):
        name = library_name(path.name)
        if name in {"libavcodec", "libavformat", "libavutil", "libswresample", "libswscale"}:
            ask = ctypes.CDLL(str(path))[f"{name.removeprefix('lib')}_license"]
            ask.restype = ctypes.c_char_p
            answer = bytes(ask()).decode()
            if is_gpl(answer):
                yield f"{path.name}: built under {answer}"
    if features.check("libimagequant"):
        yield "pillow: built with libimagequant, under the GPL"


def main() -> int:
    """Checks the environment that runs it."""
    policy, dists = Policy.read(), shipped()
    found = [*faults(dists, policy), *built_in_faults(dists)]
    for fault in found:
        print(f"licences: {fault}", file=sys.stderr)
    if not found:
        print(f"licences: {len(dists)} distributions, with what they bring along: no GPL")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
