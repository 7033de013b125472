"""What the log answers when it can't take a line; nothing of the line is kept, and nothing torn is left."""

from sources.refusals import Refused


class LogRefused(Refused):
    """A line that was not taken: whoever sent it should send it again later."""


class LogFull(LogRefused):
    """The disk is full, or below the space that is kept free."""


class LogBusy(LogRefused):
    """More bytes are waiting for the disk than may be held in memory."""


class LogFailed(LogRefused):
    """The disk failed to keep what was written, or the log is closed."""
