"""Refusals of bulk registration; the console and the API each say them in their own way."""


class BulkError(Exception):
    """A rule said no; the message is a sentence for people."""


class WrongStateError(BulkError):
    """The import is in a state in which this cannot be done."""


class LostLeaseError(Exception):
    """Somebody else works on the import now; whatever was begun is rolled back."""
