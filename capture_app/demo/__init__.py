"""The simulated hospital for practice and quick tests: peers only, reached over sockets.

Everything here plays the part of *another* system: an admissions system that sends ADT, a
worklist, an archive with storage commitment and DICOMweb, a camera on the network. It is held to
the same contract tests as the real peers. It imports nothing of the rooms that it exercises, so
that the application never proves itself by itself. Its patients are invented.
"""
