"""Text for the user: to the terminal, or to the log where that is switched off."""

import logging
import sys

from minikeras.config import is_interactive_logging_enabled


def print_msg(message, line_break=True):
    """Write to standard output, or to the `minikeras` logger.

    The choice is that of `keras.config.enable_interactive_logging`. Characters the
    terminal cannot show are replaced.
    """
    if not is_interactive_logging_enabled():
        logging.getLogger("minikeras").info(message)
        return
    text = f"{message}\n" if line_break else message
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()
