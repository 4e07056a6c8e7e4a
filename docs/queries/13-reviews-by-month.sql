-- How many reviews does each product get in a month, and how good are they?
SELECT shown.kaspi_id, products.name, date_trunc('month', review.written_on)::date AS month,
       count(*) AS reviews, round(avg(review.rating), 2) AS stars,
       count(*) FILTER (WHERE review.rating <= 3) AS unhappy
FROM reviewed_products AS shown
JOIN review_texts AS review ON review.id = shown.review_id
LEFT JOIN products ON products.kaspi_id = shown.kaspi_id
GROUP BY 1, 2, 3
ORDER BY month DESC, reviews DESC
LIMIT 100;
