-- One bad identifier that joins many people makes one huge profile. It fails here, while what is built from it is
-- still that of before. To accept a growth: raise `largest_profile`, or `dbt run --select graph_growth` makes
-- the present size the one that the next is compared with.
{{ exploding('profile', sized_profiles(), 'max_identifier_count') }}
