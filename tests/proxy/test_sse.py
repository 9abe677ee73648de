import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.sse import Piece, SseReader, event_data

STREAM = st.lists(
    st.sampled_from(
        [b"data: {}", b"data:x", b"event: a", b": hi", b"\n", b"\r\n", b"\r", b"\n\n", b"id: 1"]
    ),
    max_size=30,
).map(b"".join)


def pieces_of(data: bytes, cuts: list[int], limit: int = 1000) -> list[tuple[Piece, bytes]]:
    reader = SseReader(limit)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    found = []
    for start, end in itertools.pairwise(edges):
        found.extend(reader.feed(data[start:end]))
    return [*found, (Piece.OTHER, reader.finish())]


@settings(deadline=None, max_examples=300)
@given(STREAM, st.lists(st.integers(0, 500), max_size=8), st.sampled_from([1000, 20, 5]))
def test_the_pieces_are_the_stream_however_it_is_cut(
    data: bytes, cuts: list[int], limit: int
) -> None:
    assert b"".join(piece for _, piece in pieces_of(data, cuts, limit)) == data


@settings(deadline=None, max_examples=300)
@given(STREAM, st.lists(st.integers(0, 500), max_size=8))
def test_the_events_do_not_depend_on_the_cuts(data: bytes, cuts: list[int]) -> None:
    def events(found: list[tuple[Piece, bytes]]) -> list[bytes | None]:
        return [event_data(piece) for kind, piece in found if kind is Piece.EVENT]

    assert events(pieces_of(data, cuts)) == events(pieces_of(data, []))


def test_every_line_end_of_the_standard_ends_an_event() -> None:
    for end in (b"\n", b"\r\n", b"\r"):
        data = (
            b"event: a" + end + b"data: 1" + end + b"data: 2" + end + end + b"data: 3" + end + end
        )
        for size in (1, 3, len(data)):
            reader = SseReader()
            events = [
                event_data(piece)
                for start in range(0, len(data), size)
                for kind, piece in reader.feed(data[start : start + size])
                if kind is Piece.EVENT
            ]
            assert events == [b"1\n2", b"3"]
            assert reader.between_events


def test_a_comment_is_let_through_before_the_event_it_precedes_is_complete() -> None:
    reader = SseReader()
    assert list(reader.feed(b": keep-alive\ndata: par")) == [(Piece.OTHER, b": keep-alive\n")]
    assert not reader.between_events


def test_an_event_over_the_limit_is_let_through_unread_and_the_next_is_read_again() -> None:
    reader = SseReader(max_event_bytes=16)
    pieces = [list(reader.feed(b"data: " + b"x" * 8)), list(reader.feed(b"y" * 8))]
    assert pieces == [[], [(Piece.OTHER, b"data: " + b"x" * 8 + b"y" * 8)]]
    assert reader.in_long_event
    assert list(reader.feed(b"z\n")) == [(Piece.OTHER, b"z\n")]
    assert list(reader.feed(b"\ndata: 1\n\n")) == [
        (Piece.OTHER, b"\n"),
        (Piece.EVENT, b"data: 1\n\n"),
    ]
    assert not reader.in_long_event


def test_memory_is_bounded_by_the_limit() -> None:
    reader = SseReader(max_event_bytes=1000)
    held = 0
    for _ in range(100):
        given = sum(len(piece) for _, piece in reader.feed(b"x" * 100))
        held += 100 - given
        assert held <= 1000


def test_data_lines_are_joined_and_one_space_after_the_colon_is_dropped() -> None:
    assert event_data(b"data:  a\ndata\ndata:b\n\n") == b" a\n\nb"
    assert event_data(b"event: ping\n\n") is None
    assert event_data(b"database: 1\n\n") is None
