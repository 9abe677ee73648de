from proxy.tally import Moment
from proxy.unsettled import Counted, ResponseId, Unsettled

COUNTED = Counted("t", 5, Moment.of(0))


def test_a_response_is_settled_once() -> None:
    found = Unsettled()
    found.add("resp_1", COUNTED)
    assert "resp_1" in found
    assert found.pop("resp_1") == COUNTED
    assert "resp_1" not in found
    assert found.pop("resp_1") is None


def test_the_oldest_is_forgotten() -> None:
    found = Unsettled()
    for number in range(10_001):
        found.add(f"resp_{number}", COUNTED)
    assert "resp_0" not in found
    assert "resp_1" in found
    assert "resp_10000" in found


def test_the_first_id_is_the_response_s() -> None:
    looking = ResponseId()
    data = b'{"x":{"id":"msg_1"}, "id" : "resp_1","previous":{"id":"resp_0"}}'
    for byte in data:
        looking.look(bytes([byte]))
    assert looking.found == "resp_1"


def test_a_long_beginning_without_one_is_not_searched_for_ever() -> None:
    looking = ResponseId()
    for _ in range(20):
        looking.look(b"x" * 10_000)
    looking.look(b'"id":"resp_1"')
    assert looking.found is None
