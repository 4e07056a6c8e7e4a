-- How did the last crawls end? (A run without an end goes on, or was killed and nobody has noticed yet.)
SELECT spider, entry, started_at, finished_at - started_at AS took, close_reason, stored
FROM runs
ORDER BY started_at DESC
LIMIT 20;
