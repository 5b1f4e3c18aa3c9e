"""Which addresses a provider may have."""

import pytest

from tests.each_case import each_case
from verification.providers.addresses import is_elsewhere, is_loopback, is_public, parse_base_url

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
EXPECTED = {
    # Address: is loopback as written, may be reached by another machine, is on the open Internet.
    "127.0.0.1": (True, False, False),
    "127.255.255.255": (True, False, False),
    "::1": (True, False, False),
    "::1%lo": (True, False, False),
    "0.0.0.0": (False, False, False),
    "::": (False, False, False),
    "::ffff:127.0.0.1": (False, False, False),
    "::ffff:7f00:1": (False, False, False),
    "::ffff:0.0.0.0": (False, False, False),
    "64:ff9b::127.0.0.1": (False, False, False),
    "::ffff:10.0.0.1": (False, True, False),
    "::ffff:8.8.8.8": (False, True, True),
    "64:ff9b::8.8.8.8": (False, True, True),
    "64:ff9b::10.0.0.1": (False, True, False),
    "64:ff9b:1::8.8.8.8": (False, True, False),
    "::8.8.8.8": (False, True, False),
    "::ffff:0:8.8.8.8": (False, True, False),
    "0.255.255.255": (False, True, False),
    "1.0.0.0": (False, True, True),
    "9.255.255.255": (False, True, True),
    "10.255.255.255": (False, True, False),
    "11.0.0.0": (False, True, True),
    "100.63.255.255": (False, True, True),
    "100.64.0.0": (False, True, False),
    "100.127.255.255": (False, True, False),
    "100.128.0.0": (False, True, True),
    "126.255.255.255": (False, True, True),
    "128.0.0.0": (False, True, True),
    "169.253.255.255": (False, True, True),
    "169.254.0.0": (False, True, False),
    "169.255.0.0": (False, True, True),
    "172.15.255.255": (False, True, True),
    "172.31.255.255": (False, True, False),
    "172.32.0.0": (False, True, True),
    "192.0.0.8": (False, True, False),
    "192.0.0.9": (False, True, False),
    "192.0.0.170": (False, True, False),
    "192.0.1.0": (False, True, True),
    "192.0.2.1": (False, True, False),
    "192.88.99.1": (False, True, False),
    "192.167.255.255": (False, True, True),
    "192.169.0.0": (False, True, True),
    "198.17.255.255": (False, True, True),
    "198.19.255.255": (False, True, False),
    "198.20.0.0": (False, True, True),
    "198.51.100.7": (False, True, False),
    "203.0.113.7": (False, True, False),
    "223.255.255.255": (False, True, True),
    "224.0.0.1": (False, True, False),
    "239.255.255.255": (False, True, False),
    "255.255.255.255": (False, True, False),
    "100::1": (False, True, False),
    "1fff::1": (False, True, False),
    "2001::1": (False, True, False),
    "2001:0:808:808:0:ffff:f7f7:f7f7": (False, True, False),
    "2001:1::1": (False, True, False),
    "2001:2::1": (False, True, False),
    "2001:4:112::1": (False, True, False),
    "2001:20::1": (False, True, False),
    "2001:1ff:ffff::1": (False, True, False),
    "2001:200::1": (False, True, True),
    "2001:db8:ffff::1": (False, True, False),
    "2001:db9::1": (False, True, True),
    "2002:808:808::1": (False, True, False),
    "2002:a00:1::1": (False, True, False),
    "2003::1": (False, True, True),
    "3fff:fff::1": (False, True, False),
    "3fff:1000::1": (False, True, True),
    "4000::1": (False, True, False),
    "5f00::1": (False, True, False),
    "fc00::1": (False, True, False),
    "fe80::1%eth0": (False, True, False),
    "fec0::1": (False, True, False),
    "ff02::1": (False, True, False),
    "localhost": (True, False, False),
    "localhost.example.org": (False, True, False),
    "machine": (False, False, False),
    "": (False, False, False),
}
NUMERIC = ["2130706433", "127.1", "0177.0.0.1", "127.0.0.1.", "1.2.3"]


@pytest.mark.parametrize("address", INNER)
def test_ssrf_an_internal_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [*NUMERIC, "0x7f000001", "", "localhost"])
def test_ssrf_a_malformed_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "119.29.29.29", "2400:3200::1", "64:ff9b::808:808"])
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@each_case("host, expected", EXPECTED.items())
def test_ssrf_an_address_gets_the_same_answers_on_every_python(host: str, expected: tuple[bool, bool, bool]) -> None:
    assert (is_loopback(host), is_elsewhere(host), is_public(host)) == expected


@pytest.mark.parametrize(
    "address", [address for address in INNER if address not in ("127.0.0.1", "127.8.9.10", "::1")] + NUMERIC
)
def test_ssrf_a_base_address_in_a_private_network_is_refused(address: str) -> None:
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
def test_a_public_address_or_this_machine_is_accepted(url: str) -> None:
    assert parse_base_url(url).geturl() == url
