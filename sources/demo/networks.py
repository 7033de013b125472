"""Where a visit comes from and on what: connections, browsers and screens, all from blocks kept for documentation.

A home with IPv6 has a prefix of its own (2001:db8:…::/48). Behind IPv4 many homes share a few addresses, as they
do at a provider that translates addresses; so do telephones away from home, the stores' kiosks and the crawlers.
"""

import duckdb

# Two neighbours in ten people live on one connection; the pairs that share a tablet are among them.
HOMES = """
create macro home_of(n) as case when n % 10 = 1 and n > 1 then n - 1 else n end;
create macro shared_ipv4(block, k) as concat(block, cast(floor(dice(k, 'ipv4') * 256) as integer));
create macro home_network(n) as case
    when dice(home_of(n), 'ipv6') < 0.6 then concat('2001:db8:', format('{:x}', home_of(n) % 65536), ':')
    else shared_ipv4('203.0.113.', home_of(n)) end;
create macro address_in(network, device) as case
    when network like '%:' then concat(network, '0:', md5(device)[1:4], '::', md5(device)[5:8]) else network end;
"""

DEVICES = """
create macro kind_of(device, device_id) as case
    when device_id is not null then 'app' when dice(device, 'kind') < 0.55 then 'desktop' else 'phone' end;
create macro agent_of(device, kind) as case kind
    when 'app' then pick(device, 'agent', [
        'DemoShop/4.2 (iPhone; iOS 18.1)', 'DemoShop/4.2 (iPhone; iOS 17.6)', 'DemoShop/4.1 (Android 15; Mobile)',
        'DemoShop/4.2 (Android 14; Mobile)', 'DemoShop/4.2 (iPad; iPadOS 18.1)'])
    when 'desktop' then pick(device, 'agent', [
        'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36',
        'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36 Edg/130.0',
        'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0',
        'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) Version/18.0 Safari/605.1.15',
        'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/130.0 Safari/537.36'])
    else pick(device, 'agent', [
        'Mozilla/5.0 (Linux; Android 15) Chrome/130.0 Mobile Safari/537.36',
        'Mozilla/5.0 (Linux; Android 14; SM-S911B) Chrome/130.0 Mobile Safari/537.36',
        'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile Safari/604.1',
        'Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) Version/17.6 Mobile Safari/604.1']) end;
create macro screen_of(device, kind) as case kind
    when 'desktop' then pick(device, 'screen', [[1440, 900], [1920, 1080], [1536, 864], [2560, 1440], [1366, 768]])
    else pick(device, 'screen', [[390, 844], [393, 852], [412, 915], [360, 800]]) end;
"""


def define_networks(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Create the macros; they decide by `dice`, so define that first."""
    warehouse.execute(HOMES)
    warehouse.execute(DEVICES)
