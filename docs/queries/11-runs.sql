-- How did the last crawls end? (A run without an end was killed, or still goes on.)
SELECT spider, started_at, finished_at - started_at AS took, close_reason, stored
FROM runs
ORDER BY started_at DESC
LIMIT 20;
