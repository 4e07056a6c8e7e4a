-- Which sellers changed prices most often in the last week?
SELECT offers.merchant_id, max(offers.seller) AS seller, count(*) AS changes,
       count(DISTINCT (offers.product_id, offers.city_id)) AS boards
FROM offer_history
JOIN offers ON offers.id = offer_history.offer_id
WHERE offer_history.event = 'changed' AND offer_history.created_at > now() - interval '7 days'
GROUP BY offers.merchant_id
ORDER BY changes DESC
LIMIT 20;
