"""All models of the table: the modules that fill it."""

from compat import (
    cases_attention,
    cases_graphs,
    cases_images,
    cases_sequences,
    cases_stacks,
)
from compat.case_table import BASE, CASES, data

__all__ = [
    "BASE",
    "CASES",
    "cases_attention",
    "cases_graphs",
    "cases_images",
    "cases_sequences",
    "cases_stacks",
    "data",
]
