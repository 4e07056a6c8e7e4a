-- How did the lowest price and the number of sellers of a product move in its home city?
SELECT product_history.checked_at AT TIME ZONE 'Asia/Almaty' AS almaty_time,
       product_history.min_price, product_history.max_price, product_history.seller_amount
FROM product_history
JOIN products ON products.id = product_history.product_id
WHERE products.kaspi_id = '107060282'
ORDER BY product_history.checked_at;
