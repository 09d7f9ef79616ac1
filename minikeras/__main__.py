"""`python -m minikeras` is the command `minikeras`."""

import sys

from minikeras.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
