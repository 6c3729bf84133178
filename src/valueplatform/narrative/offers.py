"""What may be suggested: features, services and practices of the model, and products that are sold whole. Pure.

A product with a price, or one that is said to cost extra, is one step: it is in use once any of its features is. Its
features are steps of their own only for accounts that use the product, and what they bring is counted with it, since
the two are seldom taken up apart.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from valueplatform.value.model import Feature, OfferKind, Product, ValueModel

PRODUCT: Final = "product:"
"""Before a product's slug, where it stands among features."""


def offers_of(model: ValueModel) -> tuple[Feature, ...]:
    """All of them as features, products after the others."""
    whole = {product.slug: product for product in model.products if is_sold_whole(product)}
    parts = tuple(_part(feature, whole) for feature in model.features)
    return parts + tuple(_product(product, model) for product in whole.values())


def offer(model: ValueModel, slug: str) -> Feature | None:
    return next((one for one in offers_of(model) if one.slug == slug), None)


def is_sold_whole(product: Product) -> bool:
    return bool(product.price) or product.included is False


def is_part(feature: Feature) -> bool:
    """Of a product that is sold whole."""
    return any(slug.startswith(PRODUCT) for slug in feature.requires)


def features_in(offered: Feature, features: Iterable[Feature]) -> tuple[Feature, ...]:
    """The features whose events show the use of an offer."""
    if offered.offer is not OfferKind.PRODUCT:
        return (offered,)
    return tuple(one for one in features if one.product == offered.product and one.offer is not OfferKind.PRODUCT)


def _part(feature: Feature, whole: Mapping[str, Product]) -> Feature:
    if feature.product is None or feature.product not in whole:
        return feature
    return msgspec.structs.replace(feature, requires=(*feature.requires, PRODUCT + feature.product))


def _product(product: Product, model: ValueModel) -> Feature:
    parts = [feature for feature in model.features if feature.product == product.slug]
    return Feature(
        slug=PRODUCT + product.slug,
        title=product.label,
        description=product.description,
        event_types=tuple(dict.fromkeys(kind for feature in parts for kind in feature.event_types)),
        offer=OfferKind.PRODUCT,
        product=product.slug,
        included=product.included,
        price=product.price,
        effort_cost=product.effort_cost,
        eligible_segments=product.eligible_segments,
        eligible_stages=product.eligible_stages,
        requires=product.requires,
    )
