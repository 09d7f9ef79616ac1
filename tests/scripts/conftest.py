"""The scripts are run, not imported for their doctests."""

collect_ignore_glob = ["*/*.py"]
