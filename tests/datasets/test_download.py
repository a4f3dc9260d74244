"""Getting a set: mirrors in turn, resume, archives of which no path is believed."""

import io
import tarfile
from dataclasses import replace

import pytest

from rmtlottery.datasets import transfer
from rmtlottery.datasets.download import download
from rmtlottery.datasets.published import Published
from rmtlottery.refusal import Refusal
from tests.datasets.made import md5
from tests.datasets.server import breaking, honest, serving, whole

FILES = {"one.gz": b"first" * 30_000, "two.gz": b"second" * 30_000}
SINGLE = Published("small", ("small", "Small/raw"), {name: md5(held) for name, held in FILES.items()}, (1, 1), ())
FOLDER = "small-py"


def from_mirrors(*servers, published=SINGLE):
    return replace(published, mirrors=tuple(server.address for server in servers))


def names(paths):
    return [path.name for path in paths]


def test_files_are_fetched_once_and_then_left_alone(tmp_path):
    with serving(honest(FILES)) as server:
        assert names(download(from_mirrors(server), tmp_path)) == ["one.gz", "two.gz"]
        assert {path.name: path.read_bytes() for path in (tmp_path / "small").iterdir()} == FILES
        assert download(from_mirrors(server), tmp_path) == []
    assert server.asked == [("/one.gz", None), ("/two.gz", None)]


@pytest.mark.parametrize("layout", SINGLE.folders)
def test_only_what_is_missing_or_damaged_is_fetched_into_the_layout_that_is_there(tmp_path, layout):
    (tmp_path / layout).mkdir(parents=True)
    (tmp_path / layout / "one.gz").write_bytes(FILES["one.gz"])
    (tmp_path / layout / "two.gz").write_bytes(b"damaged")
    with serving(honest(FILES)) as server:
        assert download(from_mirrors(server), tmp_path) == [tmp_path / layout / "two.gz"]
    assert (tmp_path / layout / "two.gz").read_bytes() == FILES["two.gz"]
    assert server.asked == [("/two.gz", None)]


def test_after_a_break_the_rest_is_asked_for_and_got(tmp_path):
    with serving(breaking(FILES["one.gz"], 60_000)) as server:
        one = replace(from_mirrors(server), files={"one.gz": SINGLE.files["one.gz"]})
        download(one, tmp_path)
    assert (tmp_path / "small" / "one.gz").read_bytes() == FILES["one.gz"]
    assert [asked for _, asked in server.asked] == [None, "bytes=60000-", "bytes=120000-"]


WRONG = {"one.gz": b"another file"}
ONE = replace(SINGLE, files={"one.gz": SINGLE.files["one.gz"]})
BAD = {
    "not there": (honest({}), "answered 404 Not Found"),
    "another file": (honest(WRONG), "sends another file than the one with MD5"),
    "too short": (lambda name, start: (200, {"Content-Length": "99"}, FILES[name]), "sends another file"),
    "broken at once": (breaking(FILES["one.gz"], 0), "broke off"),
    "server error": (lambda name, start: (503, {}, b""), "answered 503"),
}


@pytest.mark.parametrize("bad", BAD)
def test_the_next_mirror_is_asked_where_one_fails(tmp_path, bad):
    with serving(BAD[bad][0]) as first, serving(honest(FILES)) as second:
        download(from_mirrors(first, second, published=ONE), tmp_path)
    assert (tmp_path / "small" / "one.gz").read_bytes() == FILES["one.gz"]
    assert first.asked[0] == second.asked[-1] == ("/one.gz", None)
    assert names((tmp_path / "small").iterdir()) == ["one.gz"]


@pytest.mark.parametrize("bad", BAD)
def test_where_all_fail_each_fault_is_told_and_nothing_is_put_in_place(tmp_path, bad):
    plan, words = BAD[bad]
    with (
        serving(plan) as first,
        serving(honest({})) as second,
        pytest.raises(Refusal, match=rf"no mirror gives one\.gz: .*{words}.*; {second.address} answered 404 .*--mirror"),
    ):
        download(from_mirrors(first, second, published=ONE), tmp_path)
    assert not (tmp_path / "small" / "one.gz").exists()


def test_a_content_length_that_is_too_long_ends_well(tmp_path):
    with serving(lambda name, start: (200, {"Content-Length": "999999"}, FILES[name])) as server:
        download(from_mirrors(server), tmp_path)
    assert (tmp_path / "small" / "two.gz").read_bytes() == FILES["two.gz"]


def test_a_start_left_by_another_mirror_is_given_up_if_it_was_wrong(tmp_path):
    """The first breaks off in the middle of a wrong file; the second's rest of the right one cannot mend that."""
    wrong = b"x" * 200_000

    def plan(name, start):
        return (200, {"Content-Length": "200000"}, wrong[:1000]) if not start else (404, {}, b"")

    with serving(plan) as first, serving(honest(FILES)) as second:
        download(from_mirrors(first, second, published=ONE), tmp_path)
    assert (tmp_path / "small" / "one.gz").read_bytes() == FILES["one.gz"]
    assert [asked for _, asked in second.asked] == ["bytes=1000-", None]


def test_a_server_that_trickles_for_ever_is_left(tmp_path):
    with serving(breaking(FILES["one.gz"], 1)) as slow, pytest.raises(Refusal, match="broke off 20 times"):
        download(from_mirrors(slow, published=ONE), tmp_path)
    assert len(slow.asked) == 20


def test_ctrl_c_leaves_a_part_from_which_the_next_call_goes_on(tmp_path, monkeypatch):
    honest_chunks = transfer.chunks

    def stopped(response):
        yield next(honest_chunks(response))
        raise KeyboardInterrupt

    monkeypatch.setattr(transfer, "CHUNK", 40_000)
    monkeypatch.setattr(transfer, "chunks", stopped)
    with serving(honest(FILES)) as server:
        with pytest.raises(KeyboardInterrupt):
            download(from_mirrors(server, published=ONE), tmp_path)
        assert (tmp_path / "small" / "one.gz.part").read_bytes() == FILES["one.gz"][:40_000]
        assert not (tmp_path / "small" / "one.gz").exists()
        monkeypatch.setattr(transfer, "chunks", honest_chunks)
        download(from_mirrors(server, published=ONE), tmp_path)
    assert (tmp_path / "small" / "one.gz").read_bytes() == FILES["one.gz"]
    assert [asked for _, asked in server.asked] == [None, "bytes=40000-"]


def test_a_part_that_was_whole_when_we_were_killed_is_only_put_in_place(tmp_path):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "one.gz.part").write_bytes(FILES["one.gz"])
    with serving(honest(FILES)) as server:
        download(from_mirrors(server, published=ONE), tmp_path)
    assert server.asked == []
    assert names((tmp_path / "small").iterdir()) == ["one.gz"]


def test_the_user_s_mirror_is_asked_first_with_or_without_a_slash(tmp_path):
    with serving(honest(FILES)) as mine, serving(honest(FILES)) as known:
        download(from_mirrors(known, published=ONE), tmp_path, [f"{mine.address}sets"])
    assert mine.asked == [("/sets/one.gz", None)]
    assert known.asked == []


@pytest.mark.parametrize("mirror", ["file:///etc/", "ftp://x/", "mirror.org/x", ""])
def test_a_mirror_that_is_no_web_address_is_refused(tmp_path, mirror):
    with pytest.raises(Refusal, match=rf"the mirror '{mirror}' is no address that begins with http:// or https://"):
        download(ONE, tmp_path, [mirror])


def regular(name, content):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    return entry, content


def link(name, target, kind=tarfile.SYMTYPE):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry, None


def archive(*members):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for entry, content in members:
            tar.addfile(entry, None if content is None else io.BytesIO(content))
    return held.getvalue()


def packed(content):
    return Published("small", (FOLDER,), SINGLE.files, (1, 1), (), archive="small.tar.gz", archive_md5=md5(content))


def unpacked(content, tmp_path):
    with serving(honest({"small.tar.gz": content})) as server:
        return download(from_mirrors(server, published=packed(content)), tmp_path)


GOOD = [regular(f"{FOLDER}/{name}", content) for name, content in FILES.items()]


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_archive_is_fetched_its_members_are_taken_and_it_is_removed(tmp_path):
    content = archive(regular(f"{FOLDER}/readme.html", b"not wanted"), *GOOD)
    assert names(unpacked(content, tmp_path)) == ["one.gz", "two.gz"]
    assert tree(tmp_path) == {f"{FOLDER}/{name}": held for name, held in FILES.items()}
    assert unpacked(content, tmp_path) == []


def test_a_member_that_is_there_already_is_not_written_again(tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "one.gz").write_bytes(FILES["one.gz"])
    assert names(unpacked(archive(*GOOD), tmp_path)) == ["two.gz"]


EVIL = {
    "climbing": regular("../../evil", b"evil"),
    "absolute": regular("/tmp/rmtlottery-evil", b"evil"),
    "right name, climbing": regular(f"{FOLDER}/../../one.gz", FILES["one.gz"]),
    "symlink": link(f"{FOLDER}/one.gz", "/etc/passwd"),
    "hard link": link(f"{FOLDER}/one.gz", "/etc/passwd", tarfile.LNKTYPE),
    "folder": link(f"{FOLDER}/one.gz", "", tarfile.DIRTYPE),
    "device": link(f"{FOLDER}/one.gz", "", tarfile.CHRTYPE),
    "wrong content": regular(f"{FOLDER}/one.gz", b"evil"),
    "folder link": link(FOLDER, "/tmp"),
}


@pytest.mark.parametrize("evil", EVIL)
def test_evil_members_are_passed_over_and_the_right_ones_are_taken(tmp_path, evil):
    root = tmp_path / "a" / "b"
    unpacked(archive(EVIL[evil], *GOOD), root)
    assert tree(tmp_path) == {f"a/b/{FOLDER}/{name}": held for name, held in FILES.items()}
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("evil", EVIL)
def test_an_archive_without_a_right_member_is_refused(tmp_path, evil):
    with pytest.raises(Refusal, match=r"small\.tar\.gz\.part holds no right one\.gz; remove it"):
        unpacked(archive(EVIL[evil], GOOD[1]), tmp_path / "a" / "b")
    assert "evil" not in str(tree(tmp_path))


def test_a_member_that_claims_to_be_huge_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("rmtlottery.datasets.download.LARGEST_MEMBER", 100_000)
    with pytest.raises(Refusal, match=r"holds no right one\.gz, two\.gz"):
        unpacked(archive(*GOOD), tmp_path)


@pytest.mark.parametrize("content", [b"", b"no archive", archive(*GOOD)[:-200]], ids=["empty", "text", "cut"])
def test_a_damaged_archive_is_refused(tmp_path, content):
    with pytest.raises(Refusal, match=r"small\.tar\.gz\.part is no tar archive that can be read|no mirror gives"):
        unpacked(content, tmp_path)


def test_a_wrong_archive_is_never_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(tarfile, "open", lambda *_: pytest.fail("it was opened"))
    wrong = serving(lambda name, start: whole(b"another archive"))
    with wrong as server, pytest.raises(Refusal, match="sends another file than the one with MD5"):
        download(from_mirrors(server, published=packed(b"the right one")), tmp_path)
