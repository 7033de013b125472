-- a node id is a hash: two identifiers with one id would be taken for one person
select node_id
from {{ ref('identifier_observations') }}
group by node_id
having min(identifier_type) <> max(identifier_type)
    or min(identifier_value) <> max(identifier_value)
