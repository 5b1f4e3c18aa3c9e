"""Types for the ids of accounts and people: all are text, but none may be used for another.

Create them where text enters the program: a Telegram id, a command's option, a field of a call, a database row.
"""

from typing import NewType

Account = NewType("Account", str)
"""A cloud account. A person who came without a link verifies their own account, see `own_account`."""

PersonId = NewType("PersonId", str)
"""The key of a person's dialogue: the front end and its id of the person, `telegram:100012345`."""

Contact = NewType("Contact", str)
"""The address of an attempt's person at a front end: `telegram:100012345`. The core compares it and hands it back."""

FrontEnd = NewType("FrontEnd", str)
"""A front end by its name, the part of a contact before the colon: `telegram`. It alone writes to its people."""

Actor = NewType("Actor", str)
"""A user of the support tools in the audit log: `telegram:<id>`, `command`, `api:<key>` or `desk:<name>`."""


def own_account(person: PersonId) -> Account:
    """The account that a person verifies when they came without a link."""
    return Account(person)


def front_end_of(contact: Contact | PersonId) -> FrontEnd:
    """The front end that a contact belongs to."""
    return FrontEnd(contact.partition(":")[0])


def contact_of(person: PersonId) -> Contact:
    """The contact of a person: the key of the dialogue is also the address."""
    return Contact(person)
