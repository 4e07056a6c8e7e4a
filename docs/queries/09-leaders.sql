-- On how many boards does each merchant lead?
SELECT merchant_id, max(seller) AS seller, count(*) AS boards_led
FROM (
    SELECT DISTINCT ON (product_id, city_id) merchant_id, seller
    FROM offers
    WHERE gone_at IS NULL
    ORDER BY product_id, city_id, price, merchant_id
) AS leaders
GROUP BY merchant_id
ORDER BY boards_led DESC
LIMIT 20;
