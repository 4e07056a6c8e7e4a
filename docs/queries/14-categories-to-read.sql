-- Which leaf categories have most cards, and of how many of them has a listing been read?
SELECT categories.code, categories.title, counts.city_id, counts.cards, counts.counted_at,
       (SELECT count(*) FROM found_in
        WHERE found_in.listing = 'category' AND found_in.query = categories.code
            AND found_in.city_id = counts.city_id) AS found
FROM categories
LEFT JOIN category_counts AS counts USING (code)
WHERE NOT EXISTS (SELECT FROM categories AS below WHERE below.parent = categories.code)
ORDER BY counts.cards DESC NULLS LAST, categories.code
LIMIT 100;
