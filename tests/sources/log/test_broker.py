"""Reading pieces: however they were cut, repeated or came late, each line is read once."""

import itertools
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from sources.log.broker import BrokerReader, Piece

LANE = "shop.visits"


class Kept:
    """A broker in memory."""

    def __init__(self, messages):
        self.messages = [Piece("0", at, *message) for at, message in enumerate(messages, start=1)]

    def after(self, _lane, cursors):
        yield from self.messages[cursors.get("0", 0) :]

    def ends(self, _lane):
        return {"0": len(self.messages)}


def everything(messages, limit):
    """Read page by page until the end, keeping the position as JSON and forgetting all else."""
    kept, position, found = Kept(messages), {}, []
    for _ in range(10_000):
        lines, after = BrokerReader(kept).read(LANE, position, limit)
        found += lines
        if not lines and after == position:
            return found
        position = json.loads(json.dumps(after))
    raise AssertionError("no end")


def cut(segment, data, cuts):
    edges = sorted({0, len(data), *(at % (len(data) + 1) for at in cuts)})
    return [(segment, start, data[start:end]) for start, end in itertools.pairwise(edges)]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_cut_repeated_and_late_pieces_give_each_line_once(data):
    lines, messages = [], []
    for number in range(data.draw(st.integers(1, 3))):
        own = [json.dumps([number, at, "x" * at]).encode() for at in range(data.draw(st.integers(1, 6)))]
        lines += own
        messages += cut(f"w0-1-{number}", b"".join(line + b"\n" for line in own), data.draw(st.lists(st.integers(0))))
    for _ in range(data.draw(st.integers(0, 4))):  # delivered once more, at once or much later
        first = data.draw(st.integers(0, len(messages) - 1))
        messages.insert(data.draw(st.integers(first + 1, len(messages))), messages[first])
    assert everything(messages, data.draw(st.integers(1, 60))) == lines


def test_workers_that_take_turns_in_the_middle_of_lines_are_kept_apart():
    one, two = b'{"worker":1}\n', b'{"worker":2}\n'
    turns = [("w0-1-1", 0, one[:4]), ("w1-1-1", 0, two[:6]), ("w0-1-1", 4, one[4:]), ("w1-1-1", 6, two[6:])]
    assert everything(turns, 1) == [one[:-1], two[:-1]]


def test_lines_the_broker_no_longer_keeps_do_not_stop_the_rest():
    messages = [("w0-1-1", 0, b'{"a":1}\n'), ("w0-1-1", 5000, b'{"a":9}\n'), ("w0-1-9", 8, b'{"b":1}\n')]
    assert everything(messages, 100) == [b'{"a":1}', b'{"a":9}', b'{"b":1}']


def test_a_message_of_somebody_else_is_passed_over():
    assert everything([("", 0, b"hello"), ("w0-1-1", 0, b"{}\n")], 100) == [b"{}"]
