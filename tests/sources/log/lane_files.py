"""The lane that tests write to, and what is in it."""

from sources.log.reader import Reader

LANE = "shop.visits"


def read(tmp_path, lane=LANE):
    return Reader(tmp_path).read(lane, {}, 1 << 30)[0]


def names(tmp_path, lane=LANE):
    return sorted(path.name for path in (tmp_path / lane).iterdir())
