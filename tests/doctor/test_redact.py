"""What people paste into issues."""

from __future__ import annotations

import pytest

from ullage.doctor.redact import redact

ENVIRON = {
    "HOME": "/home/alice",
    "MY_API_KEY": "hunter2-and-more",
    "SOME_PASSWORD": "correct horse",
    "EMPTY_TOKEN": "",
    "SHORT_KEY": "ab",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words, 42 % and 2026-11-22T10:38:49Z", "plain words, 42 % and 2026-11-22T10:38:49Z"),
        ("/home/alice/.bashrc", "~/.bashrc"),
        ("/cache/profiles/home/alice/work", "/cache/profiles/~/work"),
        ("chmod go-w '/home/alice'", "chmod go-w '~'"),
        ("/home/alice2/x and /home/alice.old", "/home/alice2/x and /home/alice.old"),
        ("it is 'hunter2-and-more'", "it is '<secret>'"),
        ("correct horse battery", "<secret> battery"),
        ("about", "about"),
        ("sk-ant-oat01-abc_DEF", "<secret>"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer <secret>"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig", "<secret>"),
        ("alice+x@example.co.uk", "<e-mail>"),
        ("https://alice:pw@example.com/x", "https://<user>@example.com/x"),
        ("5E000000-0000-4000-8000-00000000cafe", "<id>"),
        ("holds/5e000000_0000_4000_8000_00000000cafe", "holds/<id>"),
        ("an-id-of-another-form", "<secret>"),
        ("a\x1b[31mb\udcff", "a\\x1b[31mb\\udcff"),
    ],
)
def test_redacted(text: str, expected: str) -> None:
    document = {"a": [text, {"b": text}], "n": 42, "x": None}
    redacted = {"a": [expected, {"b": expected}], "n": 42, "x": None}
    assert redact(document, ENVIRON, ["an-id-of-another-form", None]) == redacted


def test_without_a_home() -> None:
    assert redact("/home/alice", {}) == "/home/alice"
    assert redact("/home/alice", {"HOME": "/"}) == "/home/alice"
