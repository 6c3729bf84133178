"""Words for insights: templates, numbers and days, kept apart from what computes them."""

from valueplatform.narrative.wording.engine import UnfaithfulSentenceError, Wording, english, render, wording_in

__all__ = ["UnfaithfulSentenceError", "Wording", "english", "render", "wording_in"]
