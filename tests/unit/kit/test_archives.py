"""Archives that strangers send: what is taken, and what each attack is refused with."""

import gzip
import io
import tarfile
import tracemalloc
from collections.abc import Callable

import pytest

from services.kit.archives import MAX_RATIO, BadArchive, Flaw, Limits, check_archive

MIB = 1024 * 1024
LIMITS = Limits(unpacked_bytes=64 * MIB, members=50)

Pack = Callable[[tarfile.TarFile], None]


def packed(pack: Pack, **options: object) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", **options) as tar:  # type: ignore[call-overload]
        pack(tar)
    return target.getvalue()


def member(name: str, content: bytes = b"x", **fields: object) -> Pack:
    def pack(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        for field, value in fields.items():
            setattr(info, field, value)
        tar.addfile(info, io.BytesIO(content))

    return pack


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Pack:
    return member(name, b"", type=kind, linkname=target)


def folder(name: str) -> Pack:
    return member(name, b"", type=tarfile.DIRTYPE)


def all_of(*packs: Pack) -> Pack:
    def pack(tar: tarfile.TarFile) -> None:
        for each in packs:
            each(tar)

    return pack


def check(data: bytes, limits: Limits = LIMITS) -> bytes:
    """Check an archive and return the tar in it."""
    copy = io.BytesIO()
    check_archive(io.BytesIO(data), len(data), limits, copy)
    return copy.getvalue()


def flaw_of(data: bytes, limits: Limits = LIMITS) -> Flaw:
    with pytest.raises(BadArchive) as refused:
        check(data, limits)
    return refused.value.flaw


@pytest.mark.parametrize(
    "pack",
    [
        member("src/train.py"),
        member("./src/train.py"),
        all_of(folder(""), folder("src"), member("src/a.py"), folder("src"), member("src/a.py")),
        all_of(member("src/a.py"), link("src/b.py", "a.py"), link("lib/deep/c.py", "../../src/a.py")),
        all_of(member("a.py"), link("b.py", "a.py", tarfile.LNKTYPE)),
        member("x" * 200 + "/" + "y" * 200 + "/train.py"),
        member("données/entraîner.py"),
    ],
)
def test_an_ordinary_archive_is_taken_and_copied_without_its_compression(pack: Pack) -> None:
    data = packed(pack)
    assert check(data) == gzip.decompress(data)


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_both_formats_are_taken(format: int) -> None:  # noqa: A002
    assert check(packed(member("x" * 200 + "/" + "y" * 200 + "/train.py"), format=format))


GOOD = packed(member("src/train.py", b"x" * 5000))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no gzip",
        gzip.compress(b""),
        gzip.compress(b"no tar" * 500),
        GOOD[: len(GOOD) // 2],
        GOOD[:-4],
        GOOD[:-12] + b"\0" * 12,
        gzip.compress(gzip.decompress(GOOD)[:2000]),
        gzip.compress(gzip.decompress(GOOD)[: -len(gzip.decompress(GOOD)) + 5632] + b"not a header" * 200),
        gzip.decompress(GOOD),
    ],
    ids=["nothing", "text", "empty", "no-tar", "half", "cut", "bad-sum", "half-tar", "bad-header", "bare-tar"],
)
def test_a_malformed_archive_is_broken(data: bytes) -> None:
    assert flaw_of(data) is Flaw.BROKEN


@pytest.mark.parametrize(
    "pack",
    [
        member("/etc/passwd"),
        member("../outside.py"),
        member("src/../../outside.py"),
        link("l", "/etc/passwd"),
        link("l", "../outside"),
        link("src/l", "../../outside"),
        link("src/l", "deeper/../../../outside"),
        link("l", "../outside", tarfile.LNKTYPE),
        link("l", "/etc/passwd", tarfile.LNKTYPE),
        all_of(link("l", "src"), member("l/train.py")),
        all_of(member("l/train.py"), link("l", "src")),
        all_of(link("l", "src"), member("l")),
        all_of(link("l", "src"), folder("l")),
        all_of(member("f"), member("f/g")),
        link(".", "src"),
        member("null", b"", type=tarfile.CHRTYPE),
        member("disk", b"", type=tarfile.BLKTYPE),
        member("pipe", b"", type=tarfile.FIFOTYPE),
    ],
)
def test_what_could_lead_out_or_is_no_file_is_unsafe(pack: Pack) -> None:
    assert flaw_of(packed(pack)) is Flaw.UNSAFE


@pytest.mark.parametrize(
    "name", ["a/" * 500_000 + "f", "a" * 1025, "a/" * 65 + "f", "é" * 128], ids=["bomb", "long", "deep", "part"]
)
def test_a_path_that_is_long_or_deep_is_refused_before_it_costs_memory(name: str) -> None:
    data = packed(member(name), format=tarfile.PAX_FORMAT)
    tracemalloc.start()
    try:
        assert flaw_of(data) is Flaw.UNSAFE
        assert tracemalloc.get_traced_memory()[1] < 32 * MIB
    finally:
        tracemalloc.stop()


def test_a_second_name_of_what_is_not_there_is_refused() -> None:
    late = all_of(link("b.py", "a.py", tarfile.LNKTYPE), member("a.py"))
    assert flaw_of(packed(late)) is Flaw.UNSAFE
    assert flaw_of(packed(link("a.py", "a.py", tarfile.LNKTYPE))) is Flaw.UNSAFE


def test_a_second_name_of_a_link_is_refused() -> None:
    inside = link("a/b/link", "../../f")
    assert check(packed(inside))
    assert flaw_of(packed(all_of(inside, link("second", "a/b/link", tarfile.LNKTYPE)))) is Flaw.UNSAFE


def test_a_chain_of_headers_without_a_member_is_broken() -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2
    chained = (header.tobuf(tarfile.GNU_FORMAT) + b"y".ljust(tarfile.BLOCKSIZE, b"\0")) * 5_000
    assert flaw_of(gzip.compress(chained)) is Flaw.BROKEN


def test_a_bomb_is_stopped_by_its_ratio_before_its_total() -> None:
    data = packed(member("zeros", b"\0" * (40 * MIB)))
    assert len(data) * MAX_RATIO < 40 * MIB
    copy = io.BytesIO()
    with pytest.raises(BadArchive, match="times its size"):
        check_archive(io.BytesIO(data), len(data), LIMITS, copy)
    assert len(copy.getvalue()) < 17 * MIB


def test_a_bomb_is_stopped_by_its_total() -> None:
    assert flaw_of(packed(member("text", b"some text" * MIB)), Limits(MIB, 50)) is Flaw.TOO_LARGE


def test_a_bomb_behind_the_end_of_the_archive_is_stopped_too() -> None:
    tar = gzip.decompress(packed(member("a")))
    assert flaw_of(gzip.compress(tar + b"\0" * 4 * MIB), Limits(MIB, 50)) is Flaw.TOO_LARGE


def test_too_many_members_are_refused() -> None:
    many = packed(all_of(*(member(f"f{number}", b"") for number in range(51))))
    assert flaw_of(many) is Flaw.TOO_LARGE
    check(many, Limits(MIB, 51))


def test_folders_that_are_only_named_in_paths_count_too() -> None:
    deep = packed(all_of(*(member(f"{number}/b/c/d.py") for number in range(3))))
    check(deep, Limits(MIB, 9))
    assert flaw_of(deep, Limits(MIB, 8)) is Flaw.TOO_LARGE


def test_a_header_is_not_read_whole_into_memory() -> None:
    huge = packed(member("pax", b"\0" * (2 * MIB), type=tarfile.XHDTYPE))
    assert flaw_of(huge) is Flaw.TOO_LARGE


def test_a_member_of_a_negative_size_does_not_lead_back() -> None:
    tar = bytearray(gzip.decompress(packed(member("a", b""))))
    tar[124:136] = b"\xff" * 10 + b"\xfc\x00"  # -1024
    header = bytes(tar[:148]) + b" " * 8 + bytes(tar[156:512])
    tar[148:156] = b"%06o\0 " % sum(header)
    assert flaw_of(gzip.compress(bytes(tar))) is Flaw.BROKEN
