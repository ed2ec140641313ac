"""Settings by their full keys."""

from __future__ import annotations

from rec_msa.foundation.differences import differing, flat


def test_settings_are_compared_key_by_key():
    assert flat({"a.b": {"c": 1, "d": {}}, "e": 2}) == {"a.b.c": 1, "a.b.d": {}, "e": 2}
    assert differing({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}) == {"a.c": [2, "–"]}
