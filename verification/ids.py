"""Types for the ids of accounts and people. All of them are text, and none may stand where another is meant.

They are made where text comes in: a Telegram id, an option of a command, a field of a call, a row of the database.
"""

from typing import NewType

Account = NewType("Account", str)
"""A cloud account. Somebody whom no link brought verifies an account of their own, see `own_account`."""

PersonId = NewType("PersonId", str)
"""The key of a person's dialogue: the front end and its id of the person, `telegram:100012345`."""

Contact = NewType("Contact", str)
"""Where a front end reaches the person of an attempt. The core only compares it and hands it back."""

Actor = NewType("Actor", str)
"""Who uses support's desk, as the audit log names them: `telegram:<id>`, `command`, `api:<key>`, `desk:<name>`."""


def own_account(person: PersonId) -> Account:
    """Return the account that a person verifies when no link brought them."""
    return Account(person)


def contact_of(person: PersonId) -> Contact:
    """Return where a person is reached whose dialogue is kept here: the dialogue's key is their address too."""
    return Contact(person)
