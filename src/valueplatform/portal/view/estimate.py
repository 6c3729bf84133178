"""A prospect's own estimate."""

from dataclasses import dataclass

from valueplatform.portal.view.story import ProjectionView


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    text: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class OwnValue:
    """An input that the prospect may give a value of its own for; `hint` says what is usual."""

    name: str
    label: str
    unit: str
    value: str
    hint: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class EstimateForm:
    segments: tuple[Choice, ...]
    currencies: tuple[Choice, ...]
    drivers: tuple[Choice, ...]
    values: tuple[OwnValue, ...]
    scale_label: str
    scale: str
    scale_error: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    headline: str
    form: EstimateForm
    result: ProjectionView
    """Each row's `made` says what its amount is made of."""
