CASE f.reason
    WHEN 'NOT_JSON' THEN 'The line is not a JSON object.'
    WHEN 'MISSING_VALUE' THEN f.field || ' is empty' || CASE f.field
      WHEN 'product' THEN ', and the service has no usage product of its own.'
      WHEN 'type' THEN ', and the source system has no default usage type.'
      ELSE '.' END
    WHEN 'BAD_NUMBER' THEN f.field || ' “' || v.value || '” is not a number with at most 20 digits before the point and 18 after it.'
    WHEN 'BAD_DATE' THEN f.field || ' “' || v.value || '” is not a '
      || CASE WHEN f.field IN ('from_date', 'to_date') THEN 'date and time such as ' ELSE 'date such as ' END
      || CASE WHEN %(date_format)s = '' THEN
           CASE WHEN f.field IN ('from_date', 'to_date') THEN '2026-01-31T23:59:59Z.' ELSE '2026-01-31.' END
         ELSE 'its source system writes them (' || %(date_format)s || ').' END
    WHEN 'BAD_PERIOD' THEN 'to_date “' || v.value || '” is before from_date “' || coalesce(s.from_date, '') || '”.'
    WHEN 'BAD_CHOICE' THEN f.field || ' “' || v.value || '” is not '
      || CASE f.field WHEN 'life_cycle_state' THEN 'DRAFT or POSTED.'
         ELSE 'TO_BE_BILLED, TO_BE_CREDITED or NOT_TO_BE_BILLED.' END
    WHEN 'TOO_LONG' THEN f.field || ' has ' || length(s.texts ->> f.field) || ' characters, more than a record can hold.'
    WHEN 'UNKNOWN_SERVICE' THEN 'No service has the identifier “' || v.value || '” at that time.'
    WHEN 'UNKNOWN_PRODUCT' THEN 'No usage product has the code “' || v.value || '”.'
    WHEN 'UNKNOWN_TYPE' THEN 'No usage type has the name or code “' || v.value || '”.'
    WHEN 'UNKNOWN_ACTION' THEN 'The service''s subscription has no action with the number “' || v.value || '”.'
  END
