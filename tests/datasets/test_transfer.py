"""One request: resume, and every way in which a server can misbehave."""

import socket
from pathlib import Path

import pytest

from rmtlottery.datasets.transfer import Broken, Fault, transfer
from tests.datasets.server import breaking, honest, rest, serving, whole

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def part(tmp_path):
    return tmp_path / "deep" / "x.part"


@pytest.fixture
def begun(part):
    """A `.part` with the first 1000 bytes."""
    part.parent.mkdir()
    part.write_bytes(CONTENT[:1000])
    return part


def test_a_whole_file_comes_in_one_plain_request(part):
    with serving(honest({"x": CONTENT})) as server:
        transfer(f"{server.address}x", part)
    assert part.read_bytes() == CONTENT
    assert server.asked == [("/x", None)]


def test_what_is_there_already_is_not_asked_for_again(begun):
    with serving(honest({"x": CONTENT})) as server:
        transfer(f"{server.address}x", begun)
    assert begun.read_bytes() == CONTENT
    assert server.asked == [("/x", "bytes=1000-")]


def test_a_cut_line_keeps_what_came_and_the_next_request_is_for_the_rest(part):
    with serving(breaking(CONTENT, 70_000)) as server:
        for held in (70_000, 140_000, 210_000):
            with pytest.raises(Broken, match=f"broke off after {held} of 256000 bytes|broke off: "):
                transfer(f"{server.address}x", part)
            assert part.read_bytes() == CONTENT[:held]
        transfer(f"{server.address}x", part)
    assert part.read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, "bytes=70000-", "bytes=140000-", "bytes=210000-"]


def test_a_server_that_ignores_range_sends_it_all_and_it_is_not_appended(begun):
    with serving(lambda name, start: whole(CONTENT)) as server:
        transfer(f"{server.address}x", begun)
    assert begun.read_bytes() == CONTENT
    assert server.asked == [("/x", "bytes=1000-")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Range": "bytes 0-255999/256000"},
        {"Content-Range": "bytes 1001-255999/256000"},
        {},
        {"Content-Range": "nonsense"},
    ],
)
def test_a_part_from_another_place_is_not_believed(begun, headers):
    def plan(name, start):
        status, right, body = rest(CONTENT, start) if start else whole(CONTENT)
        return status, {"Content-Length": right["Content-Length"]} | (headers if start else {}), body

    with serving(plan) as server:
        transfer(f"{server.address}x", begun)
    assert begun.read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == ["bytes=1000-", None]


def test_a_part_longer_than_the_file_is_begun_anew(begun):
    with serving(honest({"x": CONTENT[:500]})) as server:
        transfer(f"{server.address}x", begun)
    assert begun.read_bytes() == CONTENT[:500]
    assert [asked for _, asked in server.asked] == ["bytes=1000-", None]


def test_a_content_length_that_is_too_long_is_a_broken_line(part):
    boastful = serving(lambda name, start: (200, {"Content-Length": "256010"}, CONTENT))
    with boastful as server, pytest.raises(Broken, match=r"broke off after 256000 of 256010 bytes|broke off: "):
        transfer(f"{server.address}x", part)
    assert part.read_bytes() == CONTENT


def test_without_a_content_length_the_end_of_the_line_is_the_end(part):
    with serving(lambda name, start: (200, {}, CONTENT)) as server:
        transfer(f"{server.address}x", part)
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("status", "words"), [(404, "answered 404 Not Found"), (500, "answered 500"), (206, "answered 206")]
)
def test_other_answers_are_faults_and_leave_nothing(part, status, words):
    unwilling = serving(lambda name, start: (status, {"Content-Length": "3"}, b"no!"))
    with unwilling as server, pytest.raises(Fault, match=words):
        transfer(f"{server.address}x", part)
    assert not part.exists()


def test_a_server_that_is_busy_for_a_moment_does_not_cost_what_was_begun(begun):
    with serving(lambda name, start: (503, {"Content-Length": "0"}, b"") if start else whole(CONTENT)) as server:
        with pytest.raises(Fault, match="answered 503"):
            transfer(f"{server.address}x", begun)
        assert server.asked == [("/x", "bytes=1000-")]
    assert begun.read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://[/x", "http:///x", "http://127.0.0.1:1/a b"])
def test_an_address_that_leads_nowhere_is_a_fault(part, url):
    with pytest.raises(Fault, match=r"refused|Invalid|no host|control characters"):
        transfer(url, part)


def test_a_silent_server_is_not_waited_for(part):
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Fault, match="timed out"):
        transfer(f"http://127.0.0.1:{silent.getsockname()[1]}/x", part, timeout=0.1)


def test_a_server_that_never_ends_is_stopped(part, monkeypatch):
    monkeypatch.setattr("rmtlottery.datasets.transfer.MOST", 100_000)
    endless = serving(lambda name, start: (200, {}, CONTENT))
    with endless as server, pytest.raises(Fault, match="sends more than 100000 bytes"):
        transfer(f"{server.address}x", part)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_no_fault_of_the_server(tmp_path):
    (tmp_path / "x.part").symlink_to("/dev/full")
    with serving(honest({"x": CONTENT})) as server, pytest.raises(OSError, match="No space left on device"):
        transfer(f"{server.address}x", tmp_path / "x.part")
