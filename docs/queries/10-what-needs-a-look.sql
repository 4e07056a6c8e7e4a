-- Which boards were not read for a day, or not wholly?
SELECT products.kaspi_id, products.name, boards.city_id, boards.checked_at, boards.completed_at,
       boards.complete
FROM boards
JOIN products ON products.id = boards.product_id
WHERE NOT boards.complete OR boards.checked_at < now() - interval '24 hours'
ORDER BY boards.checked_at;
