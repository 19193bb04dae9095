"""What a broken or ill-meaning client sends.

GOOD stands for a good item of its own, TAG and MACHINE for known names.
"""

import gzip
import json
from dataclasses import dataclass, field

AT = '"2026-03-02T08:00:00Z"'

# Values of a count, as they stand in the JSON; each with the name of what is odd about it.
VALUES = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "minus Infinity": "-Infinity",
    "1e999": "1e999",
    "minus 1e999": "-1e999",
    "1e-999": "1e-999",
    "an exponent beyond decimals": "1e99999999999999999999",
    "an exponent below decimals": "1e-99999999999999999999",
    "a 400-digit integer": "9" * 400,
    "a 5000-digit integer": "9" * 5000,
    "a 5000-digit fraction": "0." + "3" * 5000,
    "2^63": str(2**63),
    "minus 2^63": str(-(2**63)),
    "10^18": str(10**18),
    "one below 10^18": str(10**18 - 1),
    "negative zero": "-0",
    "negative zero with a point": "-0.0",
    "negative": "-1",
    "seven decimals": "0.0000001",
    "text": '"12"',
    "empty text": '""',
    "text that says NaN": '"NaN"',
    "true": "true",
    "false": "false",
    "null": "null",
    "a list": "[1]",
    "an object": '{"a": 1}',
    "nested 300 deep": "[" * 300 + "]" * 300,
    "hexadecimal": "0x10",
    "a leading zero": "012",
    "a leading plus": "+12",
    "a bare point": ".5",
    "an underscore": "1_000",
}
TIMES = {
    "naive": '"2026-03-02T08:00:00"',
    "naive inside a clock change": '"2026-03-29T02:30:00"',
    "a date only": '"2026-03-02"',
    "a leap second": '"2016-12-31T23:59:60Z"',
    "a leap second in the wrong place": '"2026-03-02T08:00:60Z"',
    "second 61": '"2026-03-02T08:00:61Z"',
    "year 0": '"0000-01-01T00:00:00Z"',
    "year 1": '"0001-01-01T00:00:00Z"',
    "year 1 east of Greenwich": '"0001-01-01T00:00:00+14:00"',
    "year 9999": '"9999-12-31T23:59:59Z"',
    "year 9999 west of Greenwich": '"9999-12-31T23:59:59-12:00"',
    "the last leap second of the calendar": '"9999-12-31T23:59:60Z"',
    "year 10000": '"10000-01-01T00:00:00Z"',
    "a negative year": '"-2026-03-02T08:00:00Z"',
    "an offset of a day": '"2026-03-02T08:00:00+24:00"',
    "an offset of 99 hours": '"2026-03-02T08:00:00+99:99"',
    "an offset with seconds": '"2026-03-02T08:00:00+01:02:03.000004"',
    "a zone's name": '"2026-03-02T08:00:00 Europe/Warsaw"',
    "the 30th of February": '"2026-02-30T08:00:00Z"',
    "hour 24": '"2026-03-02T24:00:00Z"',
    "week date": '"2026-W10-1T08:00:00Z"',
    "digits of another script": '"２０２６-03-02T08:00:00Z"',
    "seconds since 1970": "1772438400",
    "a list": "[]",
    "true": "true",
    "null": "null",
    "words": '"yesterday"',
    "empty": '""',
    "100,000 characters": '"' + "2" * 100_000 + '"',
    "a NUL": r'"2026-03-02T08:00:00Z\u0000"',
    "1969": '"1969-12-31T23:59:59Z"',
    "an hour ahead": '"2999-01-01T00:00:00Z"',
}
NAMES = {
    "unknown": '"nobody/knows/this"',
    "a NUL": r'"TAG\u0000"',
    "a lone surrogate": r'"\ud800"',
    "a reversed pair of surrogates": r'"\udc00\ud800"',
    "a character beyond 16 bits": r'"\ud83c\udfed"',
    "right-to-left marks": r'"\u202eTAG"',
    "a formula": "\"=cmd|' /C calc'!A0\"",
    "markup": '"<script>alert(1)</script>"',
    "SQL": '"\'; DROP TABLE counts_counthistory; --"',
    "a format": '"%s%n{0}{__class__}"',
    "256 characters": '"' + "x" * 256 + '"',
    "a million characters": '"' + "x" * 1_000_000 + '"',
    "a number": "7",
    "true": "true",
    "null": "null",
    "a list": '["TAG"]',
    "an object": '{"TAG": 1}',
    "empty": '""',
    "spaces": '"   "',
}
# Whole items.
ITEMS = {
    "null": "null",
    "a number": "7",
    "text": '"TAG"',
    "true": "true",
    "an empty object": "{}",
    "a list": "[]",
    "a list of an item": f'[{{"tag": "TAG", "at": {AT}, "value": 1}}]',
    "nested 900 deep": "[" * 900 + "]" * 900,
    "a field twice": f'{{"tag": "TAG", "at": {AT}, "value": 1, "value": "x"}}',
    "a tag and a machine": f'{{"tag": "TAG", "machine": "MACHINE", "at": {AT}, "value": 1}}',
    "a machine and a line": f'{{"machine": "MACHINE", "line": "L", "at": {AT}, "state": "torture-run"}}',
    "an unknown field": f'{{"tag": "TAG", "at": {AT}, "value": 1, "colour": "red"}}',
    "a field named by a NUL": f'{{"tag": "TAG", "at": {AT}, "value": 1, "\\u0000": 1}}',
    "a field named by half a pair": f'{{"tag": "TAG", "at": {AT}, "value": 1, "\\ud800": 1}}',
    "an empty field name": f'{{"tag": "TAG", "at": {AT}, "value": 1, "": 1}}',
    "a very long field name": f'{{"tag": "TAG", "at": {AT}, "value": 1, "{"n" * 100_000}": 1}}',
    "__proto__": f'{{"__proto__": {{}}, "tag": "TAG", "at": {AT}, "value": 1}}',
    "10,000 unknown fields": "{" + ",".join(f'"f{n}": {n}' for n in range(10_000)) + "}",
    "a state of a number": f'{{"machine": "MACHINE", "at": {AT}, "state": 1}}',
    "an unknown state": f'{{"machine": "MACHINE", "at": {AT}, "state": "levitating"}}',
    "a detail of 501 characters": (
        f'{{"machine": "MACHINE", "at": {AT}, "state": "torture-run", "detail": "{"d" * 501}"}}'
    ),
    "a detail with a NUL": (f'{{"machine": "MACHINE", "at": {AT}, "state": "torture-run", "detail": "a\\u0000b"}}'),
    "a detail that is a number": f'{{"machine": "MACHINE", "at": {AT}, "state": "torture-run", "detail": 5}}',
    "a state of a half pair": f'{{"machine": "MACHINE", "at": {AT}, "state": "\\udfff"}}',
}


def items() -> dict[str, str]:
    """Return every hostile item as JSON text, by name."""
    return {
        **{f"value: {name}": f'{{"tag": "TAG", "at": {AT}, "value": {text}}}' for name, text in VALUES.items()},
        **{f"count at: {name}": f'{{"tag": "TAG", "at": {text}, "value": 1}}' for name, text in TIMES.items()},
        **{
            f"state at: {name}": f'{{"machine": "MACHINE", "at": {text}, "state": "torture-run"}}'
            for name, text in TIMES.items()
        },
        **{f"tag: {name}": f'{{"tag": {text}, "at": {AT}, "value": 1}}' for name, text in NAMES.items()},
        **{
            f"machine: {name}": f'{{"machine": {text}, "at": {AT}, "state": "torture-run"}}'
            for name, text in NAMES.items()
        },
        **{f"line: {name}": f'{{"line": {text}, "at": {AT}, "state": "torture-run"}}' for name, text in NAMES.items()},
        **{f"item: {name}": text for name, text in ITEMS.items()},
        **{
            f"gap until: {name}": f'{{"machine": "MACHINE", "at": {AT}, "until": {text}, "gap": "x"}}'
            for name, text in TIMES.items()
        },
        **{
            f"reset to: {name}": f'{{"tag": "TAG", "at": {AT}, "event": "reset", "value": {text}}}'
            for name, text in VALUES.items()
        },
        **{f"event: {name}": f'{{"tag": "TAG", "at": {AT}, "event": {text}}}' for name, text in NAMES.items()},
        **{
            f"gap: {name}": f'{{"machine": "MACHINE", "at": {AT}, "until": {AT}, "gap": {text}}}'
            for name, text in NAMES.items()
        },
    }


# No JSON, by any reader: such an item makes its whole body unreadable, which is a 400.
NOT_JSON = frozenset(
    f"{field}: {name}"
    for field in ("value", "reset to")
    for name in ("hexadecimal", "a leading zero", "a leading plus", "a bare point", "an underscore")
)


@dataclass(frozen=True, slots=True)
class Body:
    """A whole body with its headers."""

    content: bytes
    headers: dict[str, str] = field(default_factory=dict)
    is_good: bool = False


_GOOD = b'{"items": [GOOD]}'
_DEEP = {f"nested {depth} deep": b"[" * depth + b"]" * depth for depth in (1_000, 10_000, 100_000)}
_DEEP_OBJECTS = {f"objects nested {depth} deep": b'{"a":' * depth + b"1" + b"}" * depth for depth in (1_000, 100_000)}
BODIES = {
    "empty": Body(b""),
    "blank": Body(b"   \n"),
    "null": Body(b"null"),
    "a number": Body(b"7"),
    "text": Body(b'"items"'),
    "NaN": Body(b"NaN"),
    "an empty object": Body(b"{}"),
    "an empty list": Body(b"[]"),
    "items that are null": Body(b'{"items": null}'),
    "items that are an object": Body(b'{"items": {"0": GOOD}}'),
    "items twice": Body(b'{"items": 7, "items": [GOOD]}', is_good=True),
    "truncated": Body(b'{"items": [GOOD'),
    "truncated in a text": Body(b'{"items": [{"tag": "TA'),
    "truncated in an escape": Body(b'{"items": [{"tag": "\\ud8'),
    "two documents": Body(b'{"items": [GOOD]}{"items": [GOOD]}'),
    "a trailing comma": Body(b'{"items": [GOOD,]}'),
    "comments": Body(b'/* hello */ {"items": [GOOD]}'),
    "single quotes": Body(b"{'items': []}"),
    "a byte order mark": Body(b"\xef\xbb\xbf" + _GOOD, is_good=True),
    "UTF-16": Body('{"items": []}'.encode("utf-16")),
    "UTF-16 that says so": Body('{"items": []}'.encode("utf-16"), {"Content-Type": "application/json; charset=utf-16"}),
    "UTF-32": Body('{"items": []}'.encode("utf-32")),
    "Latin-1": Body('{"items": [{"tag": "Füller"}]}'.encode("latin-1")),
    "broken UTF-8": Body(b'{"items": [{"tag": "\xc3\x28"}]}'),
    "UTF-8 of half a pair": Body(b'{"items": [{"tag": "\xed\xa0\x80"}]}'),
    "overlong UTF-8": Body(b'{"items": [{"tag": "\xc0\xaf"}]}'),
    "raw control characters": Body(b'{"items": [{"tag": "\x00\x01\x1f"}]}'),
    "only NULs": Body(b"\0" * 1000),
    "random bytes": Body(bytes(range(256)) * 16),
    "gzip": Body(gzip.compress(b'{"items": []}')),
    "gzip that says so": Body(gzip.compress(b'{"items": []}'), {"Content-Encoding": "gzip"}),
    "brotli that is none": Body(_GOOD, {"Content-Encoding": "br"}, is_good=True),
    "XML": Body(b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>', {"Content-Type": "text/xml"}),
    "a form": Body(b"tag=TAG&value=1", {"Content-Type": "application/x-www-form-urlencoded"}),
    "multipart": Body(b"--x\r\n\r\n1\r\n--x--", {"Content-Type": "multipart/form-data; boundary=x"}),
    "multipart without a boundary": Body(b"--x", {"Content-Type": "multipart/form-data"}),
    "10,001 items": Body(json.dumps([{}] * 10_001).encode()),
    "10,000 broken items": Body(json.dumps([{}] * 9_999).encode()[:-1] + b", GOOD]", is_good=True),
    **{name: Body(content) for name, content in {**_DEEP, **_DEEP_OBJECTS}.items()},
    "deep within an item": Body(b'{"items": [' + b"[" * 1_000 + b"]" * 1_000 + b", GOOD]}"),
    "100,000 open brackets": Body(b"[" * 100_000),
    **{
        f"content type {kind}": Body(_GOOD, {"Content-Type": kind}, is_good=True)
        for kind in (
            *("application/json; charset=zlib", "application/json; charset=utf-7", "application/json; charset=idna"),
            *("application/json; charset=", "application/json; charset=\x22", "text/plain", "image/png", "/", ";;;"),
            *("application/json" + "; a=b" * 500, "application/json; charset=undefined"),
        )
    },
}

# Requests that no HTTP library would write. KEY, LENGTH and PATH are filled in; the body is a good one.
REQUESTS = {
    "two equal lengths": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\nContent-Length: LENGTH\r\n\r\nBODY",
    "two different lengths": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\nContent-Length: 3\r\n\r\nBODY",
    "a list of lengths": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH, LENGTH\r\n\r\nBODY",
    "a negative length": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: -1\r\n\r\nBODY",
    "a signed length": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: +LENGTH\r\n\r\nBODY",
    "a length in hexadecimal": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: 0x10\r\n\r\nBODY",
    "a length of 5,000 digits": f"POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: {'9' * 5000}\r\n\r\nBODY",
    "a length in digits of another script": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: ²\r\n\r\nBODY",
    "an empty length": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length:\r\n\r\nBODY",
    "a length and chunks": (
        "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "a bad chunk size": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYTransfer-Encoding: chunked\r\n\r\nzz\r\nBODY\r\n0\r\n\r\n",
    "a negative chunk size": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYTransfer-Encoding: chunked\r\n\r\n-1\r\nBODY\r\n0\r\n\r\n",
    "a huge chunk size": (
        "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nBODY\r\n0\r\n\r\n"
    ),
    "a chunk shorter than said": (
        "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYTransfer-Encoding: chunked\r\n\r\n2\r\nBODY\r\n0\r\n\r\n"
    ),
    "chunks with a long extension": (
        f"POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYTransfer-Encoding: chunked\r\n\r\n2;{'e' * 20_000}\r\n[]\r\n0\r\n\r\n"
    ),
    "an unknown transfer encoding": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYTransfer-Encoding: zip\r\n\r\nBODY",
    "chunks upon gzip": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "no length at all": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEY\r\n",
    "no host": "POST PATH HTTP/1.1\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "a foreign host": "POST PATH HTTP/1.1\r\nHost: evil.example\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "a header without a colon": "POST PATH HTTP/1.1\r\nHost: localhost\r\nnonsense\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "a header that begins with a space": "POST PATH HTTP/1.1\r\n Host: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "a NUL in a header": "POST PATH HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "a header of 60,000 characters": (
        f"POST PATH HTTP/1.1\r\nHost: localhost\r\nX: {'x' * 60_000}\r\nKEYContent-Length: LENGTH\r\n\r\nBODY"
    ),
    "a header of a million characters": (
        f"POST PATH HTTP/1.1\r\nHost: localhost\r\nX: {'x' * 1_000_000}\r\nKEYContent-Length: LENGTH\r\n\r\nBODY"
    ),
    "5,000 headers": "POST PATH HTTP/1.1\r\nHost: localhost\r\n"
    + "X: y\r\n" * 5_000
    + "KEYContent-Length: LENGTH\r\n\r\nBODY",
    "a key of 10,000 characters": (
        f"POST PATH HTTP/1.1\r\nHost: localhost\r\nAuthorization: Api-Key {'k' * 10_000}\r\nContent-Length: LENGTH\r\n\r\nBODY"
    ),
    "a key that is not Latin": (
        "POST PATH HTTP/1.1\r\nHost: localhost\r\nAuthorization: Api-Key ключ.ключ\r\nContent-Length: LENGTH\r\n\r\nBODY"
    ),
    "a key of raw bytes": (
        "POST PATH HTTP/1.1\r\nHost: localhost\r\nAuthorization: Api-Key \x80\xff.\xfe\r\nContent-Length: LENGTH\r\n\r\nBODY"
    ),
    "a key without its dot": (
        "POST PATH HTTP/1.1\r\nHost: localhost\r\nAuthorization: Api-Key abc\r\nContent-Length: LENGTH\r\n\r\nBODY"
    ),
    "an empty key": "POST PATH HTTP/1.1\r\nHost: localhost\r\nAuthorization: Api-Key \r\nContent-Length: LENGTH\r\n\r\nBODY",
    "an empty authorization": "POST PATH HTTP/1.1\r\nHost: localhost\r\nAuthorization:\r\nContent-Length: LENGTH\r\n\r\nBODY",
    "another scheme": (
        "POST PATH HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic Og==\r\nContent-Length: LENGTH\r\n\r\nBODY"
    ),
    "two keys": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYAuthorization: Api-Key a.b\r\nContent-Length: LENGTH\r\n\r\nBODY",
    "a bad percent in the path": "POST PATH%zz HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "a lone percent in the path": "POST PATH% HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "a NUL in the path": "POST PATH%00 HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "bytes that are no UTF-8 in the path": "POST PATH%ff%fe HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "raw bytes in the path": "POST PATH\xff\xfe HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "dots in the path": "POST PATH/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "a path in capitals": "POST /INGEST/COUNT HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "two slashes": "POST /PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "a whole address for a path": "POST http://localhostPATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "a path of 100,000 characters": (
        f"POST PATH{'a' * 100_000} HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY"
    ),
    "a broken query": "POST PATH?%zz&=&&a=%00 HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "an asterisk for a path": "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nKEY\r\n",
    "no path": "POST HTTP/1.1\r\nHost: localhost\r\nKEY\r\n",
    **{
        f"the method {method}": f"{method} PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY"
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post", "HACK", "")
    },
    "the method HEAD": "HEAD PATH HTTP/1.1\r\nHost: localhost\r\nKEY\r\n",
    "HTTP/0.9": "POST PATH\r\n",
    "HTTP/1.0": "POST PATH HTTP/1.0\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "HTTP/2.0": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": "POST PATH HTTP/9.9\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "an upgrade to a socket": (
        "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: LENGTH\r\n\r\nBODY"
    ),
    "an upgrade to HTTP/2": (
        "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        "HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: LENGTH\r\n\r\nBODY"
    ),
    "an expectation": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYExpect: 100-continue\r\nContent-Length: LENGTH\r\n\r\nBODY",
    "an unknown expectation": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYExpect: miracles\r\nContent-Length: LENGTH\r\n\r\nBODY",
    "50 requests at once": "POST PATH HTTP/1.1\r\nHost: localhost\r\nKEYContent-Length: LENGTH\r\n\r\nBODY" * 50,
    "bare line feeds": "POST PATH HTTP/1.1\nHost: localhost\nKEYContent-Length: LENGTH\n\nBODY",
    "nothing": "",
    "blank lines": "\r\n" * 1000,
}
