-- Who is the cheapest on each board now, and what does the second one ask?
SELECT products.kaspi_id, products.name, offers.city_id,
       (array_agg(offers.seller ORDER BY offers.price, offers.merchant_id))[1] AS cheapest,
       (array_agg(offers.price ORDER BY offers.price, offers.merchant_id))[1] AS price,
       (array_agg(offers.price ORDER BY offers.price, offers.merchant_id))[2] AS second_price
FROM offers
JOIN products ON products.id = offers.product_id
WHERE offers.gone_at IS NULL
GROUP BY products.id, offers.city_id
ORDER BY products.name, offers.city_id;
