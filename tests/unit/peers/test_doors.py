"""How many may be in at once."""

from __future__ import annotations

from sage_git.peers.doors import Doors, Limits, place_of


def test_nobody_enters_a_full_house_until_somebody_leaves():
    doors = Doors(Limits(visitors=2, visitors_of_a_place=2))
    assert [doors.enter(f"192.0.2.{n}") for n in range(3)] == [True, True, False]
    doors.leave("192.0.2.0")
    assert doors.enter("192.0.2.9")


def test_one_place_cannot_take_all_the_room():
    doors = Doors(Limits(visitors=9, visitors_of_a_place=1))
    assert doors.enter("192.0.2.1")
    assert not doors.enter("192.0.2.1")
    assert doors.enter("192.0.2.2")


def test_a_network_of_ipv6_addresses_is_one_place():
    assert place_of("2001:db8::1") == place_of("2001:db8::ffff:1") != place_of("2001:db8:0:1::1")
    assert place_of("::ffff:192.0.2.1") == place_of("192.0.2.1")
    assert place_of("fe80::1%eth0") == place_of("fe80::2%eth0")
