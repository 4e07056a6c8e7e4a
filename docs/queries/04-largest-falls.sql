-- Which offers fell the most in the last 24 hours?
WITH steps AS (
    SELECT offer_id, event, created_at, price,
           lag(price) OVER (PARTITION BY offer_id ORDER BY created_at) AS price_before
    FROM offer_history
    WHERE created_at > now() - interval '8 days'
)
SELECT products.name, offers.city_id, offers.seller, steps.price_before, steps.price,
       steps.created_at
FROM steps
JOIN offers ON offers.id = steps.offer_id
JOIN products ON products.id = offers.product_id
WHERE steps.event = 'changed' AND steps.price < steps.price_before
    AND steps.created_at > now() - interval '24 hours'
ORDER BY steps.price_before - steps.price DESC
LIMIT 20;
