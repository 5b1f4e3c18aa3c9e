"""What storage refuses, as one small tree.

StorageError
├── BadKeys          a key that cannot be used; the message names the setting or the file
├── WrongKeys        keys that are not those of this database
├── Unsealable       sealed content that these keys do not open, or that was moved or changed
├── NewerSchema      a database of a newer program
├── StoreUnavailable the database cannot be opened, or does not answer
└── SchemaRefused    a rule of the schema would be broken
"""

from verification.errors import Unreadable


class StorageError(Exception):
    """Root of everything storage raises on purpose; messages never hold content or keys."""


class BadKeys(StorageError, ValueError):
    """A key is missing, malformed or used twice."""


class WrongKeys(StorageError):
    """The keys at hand do not belong to this database."""


class DecryptionFailed(StorageError, Unreadable):
    """Sealed content cannot be opened where it stands."""


class NewerSchema(StorageError):
    """The database was brought further by a newer program."""


class StoreUnavailable(StorageError):
    """The database cannot be opened, or does not answer: full disk, lock, damage."""


class ConstraintViolated(StorageError):
    """The schema keeps its promise: the unit must roll back."""
