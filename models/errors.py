"""The one exception of this package for input that can't work."""


class BadInput(ValueError):  # noqa: N818
    """A config, checkpoint or data set that can't be used; the message names the value and the valid ones."""
