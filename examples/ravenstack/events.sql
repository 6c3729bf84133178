-- One usage row is one event. 21 usage ids stand twice, under two accounts: the first in file order is stored, the
-- other is kept as a conflict.
SELECT usage.usage_id AS id, 'ravenstack' AS source, 'feature.used' AS type, subscriptions.account_id AS account,
       usage.usage_date AS time, usage.feature_name AS feature,
       CAST(usage.usage_count AS BIGINT) AS uses, CAST(usage.usage_duration_secs AS BIGINT) AS seconds,
       CAST(usage.error_count AS BIGINT) AS errors
FROM usage JOIN subscriptions ON usage.subscription_id = subscriptions.subscription_id
