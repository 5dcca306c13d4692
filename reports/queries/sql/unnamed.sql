-- The beginnings of numbers that no rate names, each with a whole number of as many digits: a masked one is filled up
-- again, for the numbering plans tell by the length.
SELECT code, concat(split_part(code, ' ', 1), substr(translate(min(destination), '*+', '0'), strpos(code, ' ')))
FROM reported_use
WHERE code IS NOT NULL AND (SELECT bool_or(destination_name = '') FROM reported_line)
GROUP BY code ORDER BY code
