"""Which addresses a provider may have."""

import pytest

from verification.providers.addresses import is_public, parse_base_url

INNER = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.251",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:db8::1",
]
NUMERIC = ["2130706433", "127.1", "0177.0.0.1", "127.0.0.1.", "1.2.3"]


@pytest.mark.parametrize("address", INNER)
def test_ssrf_an_inner_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [*NUMERIC, "0x7f000001", "", "localhost"])
def test_ssrf_what_is_no_plain_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "119.29.29.29", "2400:3200::1", "64:ff9b::808:808"])
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address", [address for address in INNER if address not in ("127.0.0.1", "127.8.9.10", "::1")] + NUMERIC
)
def test_ssrf_a_base_address_in_our_own_network_is_refused(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(ValueError, match=r"write an|open Internet|does not appear|At most"):
        parse_base_url(f"https://{host}/verify")


@pytest.mark.parametrize(
    "url",
    [
        "http://verify.example.org",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "https://user@verify.example.org",
        "https://user:word@verify.example.org",
        "https://verify.example.org?a=b",
        "https://verify.example.org#a",
        "https://verify.example.org\\@127.0.0.1",
        "https://verify.exam\tple.org",
        "https://verify.example.org:0",
        "https://verify.example.org:99999",
        "https://verify.example.org:port",
        "http://127.0.0.1:99999",
        "https://",
        "verify.example.org",
        "http://localhost.example.org",
    ],
)
def test_ssrf_a_base_address_that_is_not_plain_https_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="write a"):
        parse_base_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://verify.example.org/v1",
        "https://8.8.8.8",
        "http://127.0.0.1:9000",
        "http://[::1]:9000",
        "http://localhost",
    ],
)
def test_a_public_address_or_this_very_machine_is_taken(url: str) -> None:
    assert parse_base_url(url).geturl() == url
