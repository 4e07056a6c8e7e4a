-- Where does a merchant stand on each of its boards, and how far is the leader?
WITH ranked AS (
    SELECT product_id, city_id, merchant_id, price,
           rank() OVER board AS place, count(*) OVER (PARTITION BY product_id, city_id) AS sellers,
           min(price) OVER (PARTITION BY product_id, city_id) AS lowest
    FROM offers
    WHERE gone_at IS NULL
    WINDOW board AS (PARTITION BY product_id, city_id ORDER BY price)
)
SELECT products.kaspi_id, products.name, ranked.city_id, ranked.place, ranked.sellers,
       ranked.price, ranked.price - ranked.lowest AS above_the_leader
FROM ranked
JOIN products ON products.id = ranked.product_id
WHERE ranked.merchant_id = '2962092'
ORDER BY above_the_leader DESC;
