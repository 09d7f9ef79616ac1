"""The script is for pyright: collecting it for doctests would run it."""

collect_ignore = ["user_script.py"]
