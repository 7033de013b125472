{{ size_histogram(sized_components(), 'component_count') }}
