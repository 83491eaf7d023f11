"""The job object that bounds a child on Windows: its memory, no further process, one end.

Coded after Microsoft's description of job objects; it is checked for types on every build, and was
not yet tried on a Windows station.
"""

from __future__ import annotations

import sys
from typing import Any, ClassVar, Final

if sys.platform == "win32":
    import ctypes
    import subprocess
    from ctypes import wintypes

    _LIMITS: Final = 9  # JobObjectExtendedLimitInformation
    _ACTIVE_PROCESS: Final = 0x0008
    _PROCESS_MEMORY: Final = 0x0100
    _DIE_ON_UNHANDLED: Final = 0x0400
    _KILL_ON_CLOSE: Final = 0x2000
    _OF_LIBRARIES: Final = 1 << 30
    """What the libraries have before the work begins; Linux measures it in the child."""

    class _Basic(ctypes.Structure):
        _fields_: ClassVar[Any] = (
            ("per_process_time", ctypes.c_int64),
            ("per_job_time", ctypes.c_int64),
            ("flags", wintypes.DWORD),
            ("least_working_set", ctypes.c_size_t),
            ("most_working_set", ctypes.c_size_t),
            ("active_processes", wintypes.DWORD),
            ("affinity", ctypes.c_size_t),
            ("priority", wintypes.DWORD),
            ("scheduling", wintypes.DWORD),
        )

    class _Extended(ctypes.Structure):
        _fields_: ClassVar[Any] = (
            ("basic", _Basic),
            ("io", ctypes.c_uint64 * 6),
            ("process_memory", ctypes.c_size_t),
            ("job_memory", ctypes.c_size_t),
            ("peak_process", ctypes.c_size_t),
            ("peak_job", ctypes.c_size_t),
        )

    class Job:
        """Holds a child from before its first task; closing it ends the child."""

        def __init__(self, process: subprocess.Popen[bytes], memory: int) -> None:
            kernel = ctypes.WinDLL("kernel32", use_last_error=True)
            kernel.CreateJobObjectW.restype = wintypes.HANDLE
            self._kernel = kernel
            self._handle = wintypes.HANDLE(kernel.CreateJobObjectW(None, None))
            limits = _Extended()
            limits.basic.flags = (
                _ACTIVE_PROCESS | _PROCESS_MEMORY | _DIE_ON_UNHANDLED | _KILL_ON_CLOSE
            )
            limits.basic.active_processes = 1
            limits.process_memory = memory + _OF_LIBRARIES
            child = wintypes.HANDLE(int(process._handle))  # type: ignore[attr-defined] # noqa: SLF001 - subprocess has no other way to it
            if not (
                kernel.SetInformationJobObject(
                    self._handle, _LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
                )
                and kernel.AssignProcessToJobObject(self._handle, child)
            ):
                raise ctypes.WinError(ctypes.get_last_error())

        def close(self) -> None:
            """Ends the child, if it is still there."""
            self._kernel.CloseHandle(self._handle)
