-- Each subscription is a contract with its monthly amount; an end date is exclusive, as in the contract's columns.
SELECT account_id AS account, subscription_id AS id, start_date AS start, end_date AS "end", mrr_amount AS amount,
       'month' AS period, CASE WHEN upgrade_flag = 'True' THEN 'expansion' ELSE 'new' END AS kind
FROM subscriptions
