"""Where a peer is: addresses that can be read, and everything else."""

from __future__ import annotations

import pytest

from sage_git.errors import UsageError
from sage_git.peers.address import PORT, Address, Share

KEY = "3b" * 32


@pytest.mark.parametrize(
    "url, address",
    [
        (f"sage://{KEY}@192.0.2.7:7000/", Address(KEY, "192.0.2.7", 7000)),
        (f"sage://{KEY}@laptop.local", Address(KEY, "laptop.local", PORT)),
        (f"sage://{KEY}@laptop/private", Address(KEY, "laptop", PORT, Share.PRIVATE)),
        (f"sage://{KEY}@[2001:db8::7]:7000/private/", Address(KEY, "2001:db8::7", 7000, Share.PRIVATE)),
        (f"sage://{KEY}@[fe80::1%eth0]:7000/", Address(KEY, "fe80::1%eth0", 7000)),
    ],
)
def test_an_address_is_what_it_says(url, address):
    assert Address.parse(url) == address
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://example.org/",
        "sage://192.0.2.7:7000/",
        f"sage://{KEY[:-1]}@host:7000/",
        f"sage://{KEY.upper()}@host:7000/",
        f"sage://{KEY}@host:0/",
        f"sage://{KEY}@host:65536/",
        f"sage://{KEY}@host:٣/",
        f"sage://{KEY}@host:7000/other",
        f"sage://{KEY}@-oProxyCommand=x:7000/",
        f"sage://{KEY}@host:7000/\n",
        f"sage://{KEY}@host/../private",
    ],
)
def test_what_is_no_address_is_refused_with_what_one_looks_like(url):
    with pytest.raises(UsageError, match="no address of a peer") as refused:
        Address.parse(url)
    assert "sage://KEY@HOST:PORT/" in refused.value.remedy
