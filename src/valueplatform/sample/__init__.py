"""A believable B2B supplier, generated: Fieldnote, its customers, their events, and what was planted in them."""

from valueplatform.sample.events import SOURCES
from valueplatform.sample.supplier import SampleSupplier, generate
from valueplatform.sample.truths import Truth

__all__ = ["SOURCES", "SampleSupplier", "Truth", "generate"]
