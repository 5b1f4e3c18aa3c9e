"""A person who came without a link verifies their own account, under the key of their dialogue."""

from verification.ids import PersonId, contact_of, own_account


def test_the_own_account_and_the_contact_of_a_person_are_the_key_of_their_dialogue() -> None:
    assert str(own_account(PersonId("telegram:100012345"))) == "telegram:100012345"
    assert str(contact_of(PersonId("telegram:100012345"))) == "telegram:100012345"
