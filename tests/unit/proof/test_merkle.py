"""Public vectors of RFC 6962 trees, the right ones and all the ways in which a proof is made wrong.

Leaves, roots and proofs are those of the reference log that Certificate Transparency's implementations share; stated in
github.com/transparency-dev/merkle, testdata/{inclusion,consistency}/*/happy-path.json (Apache License 2.0). How they
are made wrong follows its cmd/proofgen; we state it anew.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator

import pytest

from sage_git.errors import ProofFailed
from sage_git.proof.merkle import EMPTY_ROOT, Tree, check_growth, check_inclusion, leaf_hash, root_from_inclusion

LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(each)
    for each in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
INCLUSION = {
    (0, 1): "",
    (0, 8): "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c= Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= "
    "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=",
    (5, 8): "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms= yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA= "
    "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
    (2, 3): "+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=",
    (1, 5): "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0= Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= "
    "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
}
CONSISTENCY = {
    (1, 1): "",
    (1, 8): "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c= Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= "
    "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=",
    (6, 8): "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o= yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA= "
    "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
    (2, 5): "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
    (6, 7): "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o= sIaT7C5yFZcTBkHoIR5+7cy0wmQTlj7ubB4u0W/7Gl8= "
    "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
}
GARBAGE = leaf_hash(b"garbage")


def hashes(text: str) -> list[bytes]:
    return [b64decode(each) for each in text.split()]


def made_wrong(proof: list[bytes], *roots: bytes) -> Iterator[list[bytes]]:
    """The proof with a bit changed, too short, too long, in another order."""
    for at, each in enumerate(proof):
        yield [*proof[:at], bytes([each[0] ^ 1 << at % 8]) + each[1:], *proof[at + 1 :]]
        yield [*proof[:at], *proof[at + 1 :]]
        yield [*proof[: at + 1], *proof[at:]]
        yield [*proof[:at], each[:31], *proof[at + 1 :]]
    for added in (GARBAGE, b"", *roots):
        yield [added, *proof]
        yield [*proof, added]
    if len(proof) > 1:
        yield proof[::-1]
        yield []


@pytest.mark.parametrize("size", range(9))
def test_the_reference_log_has_the_known_roots(size):
    assert Tree.of(LEAVES[:size]).root() == ROOTS[size]


@pytest.mark.parametrize("place", INCLUSION)
def test_known_inclusion_proofs_are_made_and_hold(place):
    index, size = place
    proof = hashes(INCLUSION[place])
    assert Tree.of(LEAVES[:size]).inclusion(index) == proof
    check_inclusion(LEAVES[index], index, size, ROOTS[size], proof)


@pytest.mark.parametrize("place", CONSISTENCY)
def test_known_consistency_proofs_are_made_and_hold(place):
    old, size = place
    proof = hashes(CONSISTENCY[place])
    assert Tree.of(LEAVES[:size]).consistency(old) == proof
    check_growth(old, ROOTS[old], size, ROOTS[size], proof)


@pytest.mark.parametrize("place", INCLUSION)
def test_inclusion_proofs_that_were_made_wrong_are_refused(place):
    index, size = place
    proof, leaf, root = hashes(INCLUSION[place]), LEAVES[index], ROOTS[size]
    wrong = [(leaf, index, size, root, other) for other in made_wrong(proof, root)]
    wrong += [(leaf, other, size, root, proof) for other in (index - 1, index + 1, index ^ 2, -1)]
    wrong += [(leaf, index, other, root, proof) for other in (size * 2, size // 2, 0, -1)]
    wrong += [(b"another", index, size, root, proof)]
    wrong += [(leaf, index, size, other, proof) for other in (EMPTY_ROOT, GARBAGE, b"")]
    for each in wrong:
        with pytest.raises(ProofFailed):
            check_inclusion(*each)


@pytest.mark.parametrize("place", CONSISTENCY)
def test_consistency_proofs_that_were_made_wrong_are_refused(place):
    old, size = place
    proof, before, after = hashes(CONSISTENCY[place]), ROOTS[old], ROOTS[size]
    wrong = [(old, before, size, after, other) for other in made_wrong(proof, before, after)]
    wrong += [(other, before, size, after, proof) for other in (old - 1, old + 1, old ^ 2, -1)]
    wrong += [(old, before, other, after, proof) for other in (size * 2, size // 2, 0, -1)]
    wrong += [(old, other, size, after, proof) for other in (EMPTY_ROOT, GARBAGE, b"")]
    wrong += [(old, before, size, other, proof) for other in (EMPTY_ROOT, GARBAGE, b"")]
    wrong += [(old, after, size, before, proof)] if before != after else []
    for each in wrong:
        with pytest.raises(ProofFailed):
            check_growth(*each)


def test_an_empty_log_shows_nothing_and_contains_nothing():
    for index, size in ((0, 0), (1, 0), (0, -1)):
        with pytest.raises(ProofFailed):
            root_from_inclusion(GARBAGE, index, size, [])
    for old_root, size, root in ((GARBAGE, 0, EMPTY_ROOT), (EMPTY_ROOT, 0, GARBAGE), (GARBAGE, 0, GARBAGE)):
        with pytest.raises(ProofFailed):
            check_growth(0, old_root, size, root, [])
    with pytest.raises(ProofFailed):
        check_growth(0, EMPTY_ROOT, 1, ROOTS[1], [GARBAGE])
