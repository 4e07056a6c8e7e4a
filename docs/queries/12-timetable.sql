-- How reliable is the timetable? (Each entry's ticks of the last week by outcome.)
SELECT entry, outcome, count(*) AS ticks, sum(attempt) AS jobs,
       max(scheduled_at - due_at) AS latest_start, max(closed_at - scheduled_at) AS longest
FROM timetable_ticks
WHERE due_at > now() - interval '7 days'
GROUP BY entry, outcome
ORDER BY entry, ticks DESC;
