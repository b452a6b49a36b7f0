"""The script `cxrtool`, `python -m cxrtool`, and what torchrun starts.

A signal is answered from the first instruction on: the handlers are installed before anything
large is imported. While there is nothing to clean up they end the process at once; `signals` then
takes over.
"""

import os
import signal

WORDS = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupted"}


def main() -> None:
    """Run the command line."""
    for number in WORDS:
        # A background job, or one under nohup, ignores some signals, and goes on doing so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    from cxrtool import cli

    cli.main()


def _end(number: int, _: object) -> None:
    try:
        os.write(2, f"cxrtool: {WORDS[signal.Signals(number)]} before any work began\n".encode())
    finally:
        os._exit(128 + number)


if __name__ == "__main__":
    main()
