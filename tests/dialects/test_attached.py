"""Files are found wherever in a body they stand, and a file that is only named is one, too."""

from __future__ import annotations

import json

import pytest

from yett.dialects.attached import attached

DATA = "data:image/png;base64,iVBORw0KGgo="
BASE64 = "JVBERi0xLjQK"


def found(part: object, **fields: object) -> list[str]:
    body = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, part]}], **fields}
    return [each.content for each in attached(json.dumps(body).encode())]


@pytest.mark.parametrize(
    ("part", "contents"),
    [
        ({"type": "image_url", "image_url": {"url": DATA, "detail": "low"}}, [DATA]),
        ({"type": "image_url", "image_url": DATA}, [DATA]),
        ({"type": "image_url", "image_url": {"url": "https://elsewhere.example/a.png"}}, [""]),
        ({"type": "image_url", "image_url": {"url": DATA.replace("data", " dAtA")}}, [DATA.replace("data", " dAtA")]),
        ({"type": "image_url", "image_url": {"detail": "low"}}, []),
        ({"type": "file", "file": {"filename": "a.pdf", "file_data": BASE64}}, [BASE64]),
        ({"type": "file", "file": {"filename": "a.pdf", "file_data": DATA}}, [DATA]),
        ({"type": "file", "file": {"file_id": "file-1"}}, [""]),
        ({"type": "file", "file": {"file_id": "", "file_data": None}}, []),
        ({"type": "input_audio", "input_audio": {"data": BASE64, "format": "wav"}}, [BASE64]),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": BASE64}}, [BASE64]),
        ({"type": "anything", "x": [{"y": DATA}, 1, None]}, [DATA]),
        ({"type": "text", "text": f"the data: {DATA}"}, []),
        ({"type": "text", "text": "Data: five, six; base64, too"}, []),
        ({"type": "anything", "x": DATA.upper()}, [DATA.upper()]),
        ({"type": "image_url", "image_url": {"url": "data:,not%20base64"}}, ["data:,not%20base64"]),
        ({"type": "text", "text": "a profile, a format and an audio"}, []),
    ],
)
def test_parts(part: object, contents: list[str]) -> None:
    assert found(part) == contents


def test_other_fields_but_not_what_describes_tools() -> None:
    assert found({}, images=[DATA]) == [DATA]
    schema = {"type": "object", "properties": {"file_id": {"default": "x"}}, "example": {"file_id": "x"}}
    assert found({}, tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}]) == []


def test_names_may_be_escaped() -> None:
    part = rb'{"type":"image_url","im\u0061ge_ur\u006c":{"url":"https://elsewhere.example"}}'
    body = rb'{"model":"m","messages":[{"role":"user","content":[%b]}]}' % part
    assert [each.content for each in attached(body)] == [""]


def test_texts_alone_cost_no_decoding() -> None:
    assert attached(b'{"model":"m","messages":[{"role":"user","content":"hello"}]} and no JSON') == ()
