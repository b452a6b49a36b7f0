"""The script `cxrtool`, `python -m cxrtool`, and what torchrun starts.

A signal is answered from the first instruction on: the handlers are installed before anything
large is imported. While there is nothing to clean up they end the process at once; `signals` then
takes over.
"""

import os
import signal
import sys

WORDS = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupted"}


def main() -> None:
    """Run the command line."""
    for number in WORDS:
        # A background job, or one under nohup, ignores some signals, and goes on doing so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    _speak_utf8()
    from cxrtool.cli import app

    app.main()


def _speak_utf8() -> None:
    """Start again where the locale would have file names in another code than UTF-8.

    Under LC_ALL=C names and tables in UTF-8 could neither be read nor written. Workers inherit the
    variable.
    """
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _end(number: int, _: object) -> None:
    try:
        os.write(2, f"cxrtool: {WORDS[signal.Signals(number)]} before any work began\n".encode())
    finally:
        os._exit(128 + number)


if __name__ == "__main__":
    main()
