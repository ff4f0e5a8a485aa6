"""What fuzzing kept is read again: every file is read, or refused by an error of the toolkit."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("fuzz_readers", Path(__file__).parents[1] / "fuzz" / "readers.py")
readers = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = readers
spec.loader.exec_module(readers)


@pytest.mark.parametrize("name", readers.READERS)
def test_every_kept_file_is_read_or_refused(name):
    assert readers.replay(name) >= 1


@pytest.mark.parametrize("name", readers.READERS)
def test_seeds_are_proper_files(name, tmp_path):
    suffix, read = readers.READERS[name]
    for content in readers.seeds(name):
        path = tmp_path / f"seed{suffix}"
        path.write_bytes(content)
        assert read(path) is not None


def test_a_reader_that_breaks_is_found(monkeypatch, tmp_path):
    monkeypatch.setitem(readers.READERS, "json", (".json", lambda _: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        readers.refuses_properly("json", b"{}", tmp_path)
