from compressor.terms import FUNCTION_WORDS, PROMPT_TERMS, terms


def test_words_are_stemmed_and_characters_paired() -> None:
    assert terms("Ferries ended") == ["ferr", "end"]
    assert terms("富士山") == ["富士", "士山"]
    assert terms("富") == ["富"]
    assert terms("2019年のIBM") == ["2019", "年の", "ibm"]


def test_function_words_keep_their_form() -> None:
    assert terms("These were theirs") == ["these", "were", "their"]


def test_words_about_the_prompt_are_terms_of_their_own() -> None:
    assert (
        set(terms("Answer from the documents below, concisely.")) - FUNCTION_WORDS <= PROMPT_TERMS
    )
    assert not set(terms("Which bank financed the harbour?")) & PROMPT_TERMS
