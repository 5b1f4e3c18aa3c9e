import base64
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from storage import BadKeys, DecryptionFailed
from storage.encryption.key_file import KeyFile
from storage.encryption.sealing import AssociatedData, IndexKind, Sealing, parse_sealing
from tests.fakes import NUMBER, make_sealing

PLACE = AssociatedData("attempts:a1:secrets")
OLD, NEW, INDEX = b"o" * 32, b"n" * 32, b"i" * 32


def load_or_create(path: Path) -> Sealing:
    return KeyFile(path).sealing()


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


@given(text=st.text())
def test_a_sealed_value_opens_with_its_associated_data(text: str) -> None:
    sealing = make_sealing()

    assert sealing.open(sealing.seal(text, PLACE), PLACE) == text


def test_half_a_surrogate_pair_survives() -> None:
    sealing = make_sealing()

    assert sealing.open(sealing.seal("\ud83d", PLACE), PLACE) == "\ud83d"


@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize("text", ["\0", "\0" + "x" * 500, "x" * 127, "x" * 128, "名" * 43], ids=repr)
def test_a_text_survives_whether_it_is_compressed_or_not(text: str, *, stays: bool) -> None:
    sealing = make_sealing()

    assert sealing.open(sealing.seal(text, PLACE, stays=stays), PLACE) == text


def test_a_long_text_takes_less_room_than_it_has() -> None:
    text = '{"state":"Verified","account":"telegram:1","journeys":[{"account":"telegram:1"}]}' * 2

    assert len(make_sealing().seal(text, PLACE)) < len(text) * 0.8


def test_a_long_text_that_an_earlier_version_sealed_opens() -> None:
    nonce, text = b"n" * 12, "王小明" * 100
    sealed = b"\3new" + nonce + AESGCM(NEW).encrypt(nonce, text.encode(), PLACE.encode())

    assert Sealing({"new": NEW}, INDEX).open(sealed, PLACE) == text


def test_sealing_twice_gives_two_different_values_that_do_not_hold_the_text() -> None:
    first, second = (make_sealing().seal(NUMBER, PLACE) for _ in range(2))

    assert first != second
    assert NUMBER.encode() not in first


@pytest.mark.parametrize("aad", ["attempts:a2:secrets", "dialogues:a1:secrets", "attempts:a1:page", ""])
def test_a_value_moved_to_another_row_does_not_open(aad: str) -> None:
    sealed = make_sealing().seal(NUMBER, PLACE)

    with pytest.raises(DecryptionFailed, match="moved"):
        make_sealing().open(sealed, AssociatedData(aad))


def test_a_value_changed_in_any_byte_does_not_open() -> None:
    sealed = make_sealing().seal(NUMBER, PLACE)

    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(DecryptionFailed):
            make_sealing().open(changed, PLACE)


def test_a_truncated_value_does_not_open() -> None:
    sealed = make_sealing().seal(NUMBER, PLACE)

    for length in range(len(sealed)):
        with pytest.raises(DecryptionFailed):
            make_sealing().open(sealed[:length], PLACE)


def test_the_first_key_seals_and_every_key_opens() -> None:
    before = Sealing({"old": OLD}, INDEX)
    during = Sealing({"new": NEW, "old": OLD}, INDEX)
    after = Sealing({"new": NEW}, INDEX)
    old, new = before.seal("text", PLACE), during.seal("text", PLACE)

    assert during.open(old, PLACE) == during.open(new, PLACE) == after.open(new, PLACE) == "text"
    assert [during.is_current(old), during.is_current(new)] == [False, True]
    with pytest.raises(DecryptionFailed, match="ENCRYPTION_KEYS"):
        after.open(old, PLACE)


def test_another_key_of_the_same_id_does_not_open() -> None:
    with pytest.raises(DecryptionFailed):
        Sealing({"k1": NEW}, INDEX).open(Sealing({"k1": OLD}, INDEX).seal("text", PLACE), PLACE)


def test_an_index_needs_its_key_and_keeps_kinds_apart() -> None:
    sealing = make_sealing()
    index = sealing.index(IndexKind.NUMBER, NUMBER)

    assert index == sealing.index(IndexKind.NUMBER, NUMBER)
    assert index != sealing.index(IndexKind.TOKEN, NUMBER)
    assert index != sealing.index(IndexKind.NUMBER, NUMBER[:-1] + "1")
    assert index != Sealing({"k1": OLD}, NEW).index(IndexKind.NUMBER, NUMBER)
    assert index != sha256(NUMBER.encode()).digest()
    assert len(index) == 32


def test_no_repr_shows_a_key() -> None:
    shown = repr(Sealing({"k1": OLD}, INDEX))

    assert shown == "Sealing(keys=['k1'])"


def test_keys_are_read_from_settings_newest_first() -> None:
    sealing = parse_sealing(
        encryption_keys=f" new:{encoded(NEW)} , old:{encoded(OLD)},", index_key=f"{encoded(INDEX)}\n"
    )

    assert repr(sealing) == "Sealing(keys=['new', 'old'])"
    assert sealing.index(IndexKind.TOKEN, "x") == Sealing({"new": NEW}, INDEX).index(IndexKind.TOKEN, "x")


def test_url_safe_base64_is_accepted_for_keys() -> None:
    key = b"\xfb\xff" * 16

    assert parse_sealing(
        encryption_keys=f"k:{base64.urlsafe_b64encode(key).decode()}", index_key=encoded(INDEX)
    ).is_current(Sealing({"k": key}, INDEX).seal("", PLACE))


@pytest.mark.parametrize(
    ("keys", "index", "message"),
    [
        ("", encoded(INDEX), "ENCRYPTION_KEYS: no key"),
        (encoded(OLD), encoded(INDEX), "ENCRYPTION_KEYS: each key is written id:base64"),
        (f"a b:{encoded(OLD)}", encoded(INDEX), "ENCRYPTION_KEYS: a key's id"),
        ("k:###", encoded(INDEX), "ENCRYPTION_KEYS: a key is not base64"),
        ("k:密钥", encoded(INDEX), "ENCRYPTION_KEYS: a key is not base64"),
        (f"k:{encoded(b'short')}", encoded(INDEX), "ENCRYPTION_KEYS: key k has 5 bytes, not 32"),
        (f"k:{encoded(OLD)},k:{encoded(NEW)}", encoded(INDEX), "ENCRYPTION_KEYS: the id k is used twice"),
        (f"k:{encoded(OLD)}", "", "INDEX_KEY: 0 bytes"),
        (f"k:{encoded(OLD)}", "#", "INDEX_KEY: a key is not base64"),
        (f"k:{encoded(OLD)}", encoded(OLD), "INDEX_KEY: must not be one"),
    ],
)
def test_the_error_of_an_unusable_key_names_its_setting(keys: str, index: str, message: str) -> None:
    with pytest.raises(BadKeys) as refused:
        parse_sealing(encryption_keys=keys, index_key=index)

    assert str(refused.value).startswith(message)
    assert encoded(OLD) not in str(refused.value)


def test_the_key_file_is_created_once_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "data" / "keys.json"
    sealed = load_or_create(path).seal("text", PLACE)

    assert load_or_create(path).open(sealed, PLACE) == "text"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["keys.json"]


def test_the_keys_of_the_file_work_as_settings(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    sealed = load_or_create(path).seal("text", PLACE)
    content = json.loads(path.read_text("utf-8"))

    assert (
        parse_sealing(encryption_keys=content["ENCRYPTION_KEYS"], index_key=content["INDEX_KEY"]).open(sealed, PLACE)
        == "text"
    )


def test_programs_that_start_at_once_get_the_same_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: load_or_create(path), range(16)))

    assert len({sealing.index(IndexKind.TOKEN, "x") for sealing in made}) == 1


def test_the_key_file_works_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    path = tmp_path / "keys.json"
    sealed = load_or_create(path).seal("text", PLACE)

    assert load_or_create(path).open(sealed, PLACE) == "text"
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"ENCRYPTION_KEYS": 1}', "\udcff"])
def test_a_damaged_key_file_is_named_and_never_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content, "utf-8", errors="surrogateescape")
    with pytest.raises(BadKeys, match=r"keys\.json"):
        load_or_create(path)

    assert path.read_text("utf-8", errors="surrogateescape") == content
