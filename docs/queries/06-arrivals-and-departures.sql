-- Who came to our products and who left them in the last 24 hours?
SELECT offer_history.event, products.kaspi_id, products.name, offers.city_id, offers.seller,
       offer_history.price, offer_history.created_at
FROM offer_history
JOIN offers ON offers.id = offer_history.offer_id
JOIN products ON products.id = offers.product_id
JOIN boards ON (boards.product_id, boards.city_id) = (offers.product_id, offers.city_id)
WHERE offer_history.event IN ('seen', 'gone', 'returned')
    AND offer_history.created_at > now() - interval '24 hours'
    AND offer_history.created_at > boards.first_seen_at
ORDER BY offer_history.created_at DESC;
