"""Faults of what IT decides, and of what it is told."""

from tests.mutants.mutant import Mutant

SETTINGS: tuple[Mutant, ...] = (
    Mutant(
        "mandatory-settings-lie-below",
        "capture_app/settings/load.py",
        "    root = merged(root, mandatory)\n",
        "    root = merged(mandatory, root)\n",
        ("tests/unit/settings/test_layers.py",),
    ),
    Mutant(
        "log-of-a-running-process-cleared",
        "capture_app/settings/log_files.py",
        "            of_process.pop(path.name.removesuffix(_LOCK), None)\n",
        "            of_process.get(path.name.removesuffix(_LOCK), None)\n",
        ("tests/unit/settings/test_log.py",),
    ),
    Mutant(
        "listed-is-enough-for-the-check",
        "capture_app/diagnostics/cannot_work.py",
        "    if proof is ProofChoice.AUTO:\n",
        "    if proof is ProofChoice.AUTO and not archive.host:\n",
        ("tests/unit/diagnostics/test_cannot_work.py",),
    ),
    Mutant(
        "certificate-told-when-it-has-ended",
        "capture_app/diagnostics/certificates.py",
        "if left <= timedelta(days)",
        "if left <= timedelta(0)",
        ("tests/unit/diagnostics/test_certificates.py",),
    ),
)
