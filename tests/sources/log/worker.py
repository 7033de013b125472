"""A process that appends until it is killed, and says on its output what was acknowledged."""

import asyncio
import sys
from pathlib import Path

from sources.log.writer import Limits, Writer


async def producer(writer, name):
    number = 0
    while True:
        line = f'{{"id":"{name}-{number}","filler":"{"x" * 200}"}}'.encode()
        await writer.append("shop.visits", [line])
        sys.stdout.write(f"{name}-{number}\n")
        sys.stdout.flush()
        number += 1


async def main(root, run):
    writer = Writer(Path(root), limits=Limits(segment_bytes=50_000))
    await asyncio.gather(*(producer(writer, f"{run}-{one}") for one in range(8)))


asyncio.run(main(*sys.argv[1:]))
