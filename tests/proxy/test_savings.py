from proxy.savings import Ending, Treatment
from tests.proxy.ledger.records import make_record


def test_saved_is_what_was_counted_less_what_was_sent() -> None:
    assert make_record().tokens_saved == 600


def test_a_refused_prompt_saves_nothing() -> None:
    """A client that tries three times after 429 is billed once, so it saves once."""
    record = make_record(status=429)
    assert not record.accepted
    assert record.tokens_saved == 0


def test_no_answer_saves_nothing() -> None:
    for ending in (Ending.UPSTREAM_UNREACHABLE, Ending.UPSTREAM_TIMEOUT, Ending.REFUSED):
        assert make_record(ending=ending, status=None).tokens_saved == 0
        assert make_record(ending=ending, status=200).tokens_saved == 0


def test_an_answer_that_broke_off_was_billed() -> None:
    for ending in (Ending.UPSTREAM_CUT, Ending.CLIENT_GONE):
        assert make_record(ending=ending).tokens_saved == 600
    assert make_record(ending=Ending.CLIENT_GONE, status=None).tokens_saved == 0


def test_shadow_savings_are_kept_apart() -> None:
    record = make_record(treatment=Treatment.SHADOW, tokens_sent=1000)
    assert record.tokens_saved == 0
    assert record.tokens_shadow == 600
    assert make_record().tokens_shadow == 0


def test_shadow_with_a_failed_part_keeps_what_the_others_would_have_saved() -> None:
    record = make_record(treatment=Treatment.FAILED_OPEN, tokens_sent=1000)
    assert (record.tokens_saved, record.tokens_shadow) == (0, 600)


def test_a_huge_model_name_is_cut() -> None:
    record = make_record(model="m" * 50_000_000)
    assert len(record.model) == 256
    assert record.model.endswith("…")
