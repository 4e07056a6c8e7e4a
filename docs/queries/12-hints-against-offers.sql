-- Where does a listing show another price than the board? (Hints are no offers: this tells how far they differ.)
SELECT hints.kaspi_id, hints.city_id, hints.title, hints.sale_price AS listed,
       boards.min_price AS lowest_offer, hints.sale_price - boards.min_price AS difference,
       hints.seen_at AS listed_at, boards.checked_at AS board_read_at
FROM listing_hints AS hints
JOIN products USING (kaspi_id)
JOIN boards ON boards.product_id = products.id AND boards.city_id = hints.city_id
WHERE hints.sale_price <> boards.min_price
ORDER BY abs(hints.sale_price - boards.min_price) DESC
LIMIT 50;
