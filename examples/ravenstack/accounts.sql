-- RavenStack says nothing of zone or currency: its days are taken as UTC days, its amounts as dollars.
SELECT account_id AS key, account_name AS name, 'USD' AS currency, 'UTC' AS timezone, industry AS segment,
       country, plan_tier, CAST(seats AS BIGINT) AS seats, signup_date, referral_source
FROM accounts
