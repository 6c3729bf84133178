import numpy as np
import pytest
from sklearn.linear_model import Ridge

from valueplatform.narrative.next_best_affinity import PENALTY, affinity_weights


def test_it_is_one_ridge_regression_a_feature_without_the_feature_itself() -> None:
    uses = np.random.default_rng(1).random((40, 6)) < 0.4
    weights = affinity_weights(uses)
    for feature in range(6):
        others = [at for at in range(6) if at != feature]
        ridge = Ridge(alpha=PENALTY * 40, fit_intercept=False).fit(
            uses[:, others].astype(float), uses[:, feature].astype(float)
        )
        np.testing.assert_allclose(weights[others, feature], ridge.coef_, atol=1e-9)


def test_no_feature_speaks_for_itself() -> None:
    uses = np.random.default_rng(2).random((30, 5)) < 0.5
    assert not np.diag(affinity_weights(uses)).any()


def test_what_goes_together_has_more_weight_than_what_is_merely_usual() -> None:
    rng = np.random.default_rng(3)
    pair = rng.random(200) < 0.3
    uses = np.stack([pair, pair, rng.random(200) < 0.6], axis=1)
    weights = affinity_weights(uses)
    assert weights[0, 1] > 3 * abs(weights[2, 1])


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (4, 0), (4, 3)])
def test_without_accounts_or_uses_nothing_goes_together(shape: tuple[int, int]) -> None:
    weights = affinity_weights(np.zeros(shape, dtype=np.bool_))
    assert weights.shape == (shape[1], shape[1])
    assert not weights.any()


def test_a_feature_that_nobody_uses_changes_nothing_for_the_others() -> None:
    uses = np.random.default_rng(4).random((30, 4)) < 0.5
    wider = np.insert(uses, 2, False, axis=1)
    kept = [0, 1, 3, 4]
    np.testing.assert_allclose(affinity_weights(wider)[np.ix_(kept, kept)], affinity_weights(uses))
