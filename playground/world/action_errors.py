"""Why a request of the control API fails. The server answers with the message and a status of its own for each."""


class BadControlRequest(Exception):
    """The request is malformed. The message says what is expected."""


class UnknownId(Exception):
    """The request names a person, a chat or a file that does not exist."""


class ActionRefused(Exception):
    """A person cannot do this here: the message or the button is gone, or belongs to somebody else."""
