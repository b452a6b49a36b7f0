"""`python -m cxrtool`, which is also what torchrun starts."""

from cxrtool.cli import main

if __name__ == "__main__":
    main()
