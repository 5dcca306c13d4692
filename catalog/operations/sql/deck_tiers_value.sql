CASE WHEN tiers_text ~ '{tiers}' THEN (
  SELECT jsonb_agg(jsonb_build_array(trim_scale(quantity)::text, trim_scale(price)::text) ORDER BY quantity)
  FROM (
    SELECT btrim(split_part(step, ':', 1))::numeric AS quantity, btrim(split_part(step, ':', 2))::numeric AS price
    FROM regexp_split_to_table(tiers_text, ';') AS step
  ) s
  HAVING min(quantity) > 0 AND count(DISTINCT quantity) = count(*)
) END
