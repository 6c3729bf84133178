"""Faithful by construction: numbers derived a second time, by code that shares nothing with what stated them.

`rederive` evaluates each number's derivation over the account's record; `admit` keeps the insights that agree; only
what it keeps can be rendered, and `check_sentence` parses each rendered sentence back.
"""

from valueplatform.narrative.faithful.admission import Admitted, Rederived, Refusal, admit, rederive, rederive_from
from valueplatform.narrative.faithful.record import Record, read_record

__all__ = ["Admitted", "Record", "Rederived", "Refusal", "admit", "read_record", "rederive", "rederive_from"]
