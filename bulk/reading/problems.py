"""What makes a file as a whole useless."""


class FileProblem(Exception):  # noqa: N818 - not an error of ours: the answer to a file
    """The file cannot be read; the message is a sentence that says what to do about it."""

    def __init__(
        self, message: str, *, line: int | None = None, column: str = "", code: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.code = code  # of a list of pairs
