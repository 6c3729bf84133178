-- An account is a repository owner, a feature the kind of event, the subject the actor. Commits hold personal names
-- and e-mail addresses: they are left out.
SELECT id, 'gharchive' AS source, type, SPLIT_PART(repo->'name', '/', 1) AS account, created_at AS time,
       actor->'login' AS subject, repo->'name' AS repository, payload->'size' AS commits, payload->'action' AS action
FROM events
