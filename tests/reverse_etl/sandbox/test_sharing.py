"""Whoever connects while others do shares their server; who comes after the last has a new one."""

from reverse_etl.sandbox.sharing import shared


def test_who_connects_at_the_same_time_shares_one_server(cdp_home):
    with shared() as one:
        with shared() as other:
            assert other is one
        with shared() as third:
            assert third is one
    with shared() as later:
        assert later is not one


def test_another_home_has_another_server(cdp_home, tmp_path, monkeypatch):
    with shared() as here:
        monkeypatch.setenv("CDP_HOME", str(tmp_path / "elsewhere"))
        with shared() as there:
            assert there is not here
