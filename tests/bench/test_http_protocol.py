import pytest

from bench.http_protocol import read_parameters

MULTIPART = (
    b'--edge\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\n7\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="caption"\r\n\r\n\xe7\x8e\x8b\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\r\n-\r\n--edge--\r\n"
)


@pytest.mark.parametrize(
    ("content_type", "body", "parameters"),
    [
        (b"application/json", '{"chat_id": 7, "caption": "王"}'.encode(), {"chat_id": 7, "caption": "王"}),
        (b"application/x-www-form-urlencoded", b"chat_id=7&caption=%E7%8E%8B", {"chat_id": "7", "caption": "王"}),
        (
            b'multipart/form-data; boundary="edge"',
            MULTIPART,
            {"chat_id": "7", "caption": "王", "photo": b"\x89PNG\r\n\r\n-"},
        ),
        (b"", b"", {}),
    ],
)
def test_the_parameters_of_every_form_are_read(
    content_type: bytes, body: bytes, parameters: dict[str, str | int | bytes]
) -> None:
    assert read_parameters(content_type, body) == parameters
