-- Which products cost the most different prices in two cities?
SELECT products.kaspi_id, products.name, here.min_price AS almaty, there.min_price AS astana,
       there.min_price - here.min_price AS difference
FROM boards AS here
JOIN boards AS there ON there.product_id = here.product_id AND there.city_id = '710000000'
JOIN products ON products.id = here.product_id
WHERE here.city_id = '750000000' AND here.min_price IS NOT NULL AND there.min_price IS NOT NULL
ORDER BY abs(there.min_price - here.min_price) DESC
LIMIT 20;
