"""The file that the set-up page of the scanner writes."""

from pathlib import Path

import pytest

from capture_app.errors import SettingsError, StoreError
from capture_app.settings.learnt import SCANNER_FILE, save_scanner
from capture_app.settings.load import load
from capture_app.settings.scanning import Alphabet, Scanner, ScanPattern
from capture_app.settings.schema import Settings

PATTERN = ScanPattern("wristband", prefix='P"', shortest=3, alphabet=Alphabet.DIGITS)
SCANNER = Scanner(gap_ms=77)


def loaded(tmp_path: Path, text: str = "schema_version = 1\n") -> Settings:
    site = tmp_path / "settings.toml"
    site.write_text(text, encoding="utf-8")
    return load(settings_file=site, data_dir=tmp_path, environ={})


def test_what_was_saved_holds_until_the_site_says_otherwise(tmp_path: Path) -> None:
    save_scanner(tmp_path, Scanner(), ())
    save_scanner(tmp_path, SCANNER, (PATTERN,))
    settings = loaded(tmp_path)
    assert (settings.scanner, settings.scan_patterns) == (SCANNER, (PATTERN,))
    site = 'schema_version = 1\n[scanner]\ngap_ms = 20\n[[scan_patterns]]\nname = "site"\n'
    settings = loaded(tmp_path, site)
    assert (settings.scanner.gap_ms, settings.scan_patterns) == (20, (ScanPattern("site"),))
    assert sorted(path.name for path in tmp_path.iterdir()) == [SCANNER_FILE, "settings.toml"]


def test_nothing_else_may_stand_in_it(tmp_path: Path) -> None:
    text = "schema_version = 1\n[security]\nsecond_identifier = false\n"
    (tmp_path / SCANNER_FILE).write_text(text)
    with pytest.raises(SettingsError) as refused:
        loaded(tmp_path)
    (fault,) = refused.value.faults
    assert (fault.file, fault.key) == (str(tmp_path / SCANNER_FILE), "security")


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        save_scanner(tmp_path / "gone", SCANNER, (PATTERN,))


@pytest.mark.parametrize(
    ("pattern", "key"),
    [
        ('suffix = "none"\nprefix = "P"\nalphabet = "digits"', "longest"),
        ('suffix = "none"\nshortest = 8\nlongest = 8', "suffix"),
        ("shortest = 9\nlongest = 8", "longest"),
        ('symbologies = ["C1"]', "symbologies"),
        ('gs1_element = "8"', "gs1_element"),
    ],
)
def test_a_pattern_that_is_not_safe_is_a_fault(tmp_path: Path, pattern: str, key: str) -> None:
    with pytest.raises(SettingsError) as refused:
        loaded(tmp_path, f'schema_version = 1\n[[scan_patterns]]\nname = "a"\n{pattern}\n')
    assert {fault.key for fault in refused.value.faults} == {f"scan_patterns[0].{key}"}
