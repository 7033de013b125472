-- a node id is a hash: two identifiers with one id would be taken for one person
select node_id from {{ ref('identifiers') }} where is_collided
