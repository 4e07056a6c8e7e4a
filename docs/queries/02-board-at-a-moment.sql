-- What did the board of a product look like in a city at a moment?
SELECT seller, price, preorder_days, delivery_duration, merchant_rating, since
FROM board_at('107060282', '750000000', now());
