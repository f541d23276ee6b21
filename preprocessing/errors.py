"""What can be wrong with what a user gives us: a setting, a folder, or one source text."""


class BadInput(ValueError):  # noqa: N818
    """A setting or a data source that can't be used; the message names key, value and valid choices."""


class BadSource(ValueError):  # noqa: N818
    """One source text that can't be used. It is left out of the corpus, counted, and listed with its reason.

    `reason` is a short slug that is counted (`null_byte`, `syntax_error`), `detail` is for people.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
