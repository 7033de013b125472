"""Everyone of a commit is told, whatever becomes of the others."""

import asyncio

from sources.log.waiting import Waiting, answer_all, settle


def test_one_who_cannot_be_told_keeps_nobody_waiting():
    told, faults = [], []

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: faults.append(context["exception"]))
        future = loop.create_future()
        answer_all(
            [
                Waiting("quarantine", b"", 0, lambda _: 1 / 0, loop),
                Waiting("quarantine", b"", 0, lambda answer: settle(future, answer), loop),
                Waiting("quarantine", b"", 0, lambda _: 1 / 0),
                Waiting("quarantine", b"", 0, told.append),
            ]
        )
        await future

    asyncio.run(main())
    assert told == [None]
    assert [type(fault) for fault in faults] == [ZeroDivisionError]
