{{ size_histogram(sized_profiles(), 'profile_count') }}
