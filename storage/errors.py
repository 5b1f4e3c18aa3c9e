"""The errors of storage, as one small tree.

StorageError
├── BadKeys             a key cannot be used; the message names the setting or the file
├── WrongKeys           the keys are not those of this database
├── WrongBot            the database belongs to another bot
├── DecryptionFailed    these keys do not open a sealed value, or it was moved or changed
├── NewerSchema         the database has the schema of a newer program
├── StoreUnavailable    the database cannot be opened or does not answer
└── ConstraintViolated  a rule of the schema would be broken
"""

from verification.errors import Unreadable


class StorageError(Exception):
    """Root of the errors that storage raises on purpose; messages never hold content or keys."""


class BadKeys(StorageError, ValueError):
    """A key is missing, malformed or used twice."""


class WrongKeys(StorageError):
    """The keys do not belong to this database."""


class WrongBot(StorageError):
    """The database belongs to another bot."""


class DecryptionFailed(StorageError, Unreadable):
    """A sealed value cannot be opened with its associated data."""


class NewerSchema(StorageError):
    """A newer program has migrated the database."""


class StoreUnavailable(StorageError):
    """The database cannot be opened or does not answer: full disk, lock, damage."""


class ConstraintViolated(StorageError):
    """A rule of the schema refuses the statement; the unit must roll back."""
