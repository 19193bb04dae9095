-- Ratios as ISO 22400 and docs/decisions/0005 and 0006 have them, of sums: times in µs, ideal times in s. NULL = not known.
-- Sum first, then divide: the OEE of a week is not the mean of its days.
CREATE OR REPLACE FUNCTION bi.ratio(part numeric, whole numeric) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN whole <> 0 THEN round(part, 30) / whole END $$;

CREATE OR REPLACE FUNCTION bi.availability(for_production_us numeric, busy_us numeric)
RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT bi.ratio(for_production_us, busy_us) $$;

-- Running without a rate and without a piece tells nothing about speed.
CREATE OR REPLACE FUNCTION bi.performance(
    ideal_s numeric, for_production_us numeric, production_us numeric, produced numeric, without_rate numeric,
    planned_without_rate_us numeric
) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN without_rate = 0 AND NOT (produced = 0 AND planned_without_rate_us > 0 AND production_us > 0)
    THEN bi.ratio(ideal_s * 1000000, for_production_us) END $$;

CREATE OR REPLACE FUNCTION bi.quality(
    ideal_good_s numeric, ideal_s numeric, good numeric, produced numeric, without_rate numeric
) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN without_rate = 0 AND ideal_s <> 0 THEN bi.ratio(ideal_good_s, ideal_s) ELSE bi.ratio(good, produced) END $$;

CREATE OR REPLACE FUNCTION bi.oee(
    ideal_good_s numeric, busy_us numeric, production_us numeric, produced numeric, without_rate numeric,
    planned_without_rate_us numeric
) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN without_rate = 0 AND NOT (produced = 0 AND planned_without_rate_us > 0 AND production_us > 0)
    THEN bi.ratio(ideal_good_s * 1000000, busy_us) END $$;
