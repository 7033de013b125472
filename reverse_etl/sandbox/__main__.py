"""`python -m reverse_etl.sandbox`: serve the sandbox until interrupted, to look at what was delivered."""

import argparse
from contextlib import suppress

from reverse_etl.sandbox.server import SandboxServer
from reverse_etl.sandbox.vendor import environment


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m reverse_etl.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="a fixed port (default: any free one)")
    port = parser.parse_args().port
    try:
        listening = SandboxServer(port)
    except (OSError, OverflowError) as fault:
        parser.error(f"can't listen on port {port}: {getattr(fault, 'strerror', None) or 'there is no such port'}")
    with listening as server:
        print(f"sandbox: {server.address}/ shows who holds whom; Ctrl-C stops")
        for vendor, variables in environment(server.vendors.values(), server.address).items():
            print(f"{vendor}: " + " ".join(f"{name}={value}" for name, value in variables.items()))
        with suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
