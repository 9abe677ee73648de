from compressor.training.overlap import Runs, word_runs

TEXT = "The council met on Monday to discuss the new budget for the coming year in the town hall."


def test_case_and_punctuation_make_no_difference() -> None:
    assert list(word_runs(TEXT)) == list(word_runs(TEXT.upper().replace(" on ", ", ON ")))
    assert len(list(word_runs(TEXT))) == 18 - 13 + 1


def test_a_short_text_is_one_run_and_an_empty_one_none() -> None:
    assert len(list(word_runs("two words"))) == 1
    assert list(word_runs("...")) == []
    assert Runs().share("") == 0


def test_thirteen_words_in_a_row_touch_and_twelve_do_not() -> None:
    runs = Runs()
    runs.add(TEXT)
    words = TEXT.split()
    assert runs.touches("And so " + " ".join(words[2:15]) + " it went")
    assert not runs.touches("And so " + " ".join(words[2:14]) + " it went")
    assert not runs.touches("And so it went")


def test_share_is_of_the_runs_of_the_text_that_is_asked_about() -> None:
    runs = Runs()
    runs.add(TEXT)
    assert runs.share(TEXT) == 1
    assert runs.share(TEXT.replace("year", "month")) == 1 / 6
