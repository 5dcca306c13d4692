"""Columns of tables on paper: as wide as what stands in them asks for, never wider than the page."""

import pytest

from reports.adapters.widths import BREAK, Widths, ems, fits, natural, shortened, widths


def test_columns_ask_for_their_longest_cell_and_the_longest_word_of_their_header() -> None:
    # Ten characters of 0.585; of the header six, in bold: 6 * 0.585 * 1.15. A Chinese character takes 1.05.
    assert natural(["Record no", "Amount"], [["R-00000001", "1"], ["R-2", "22"]]) == [
        pytest.approx(5.85),
        pytest.approx(4.0365),
    ]
    assert ems("中国 a") == pytest.approx(2 * 1.05 + 2 * 0.585)


def test_what_is_left_of_the_page_goes_to_all_columns_alike() -> None:
    # Three times 2 em of 8 points and 6 points beside them are 66; of the 444 left each has 148.
    assert fits([2, 2, 2], 510)
    assert widths([2, 2, 2], texts=[True, False, False], room=510) == Widths(8.0, (170, 170, 170))


def test_letters_get_smaller_before_any_column_does() -> None:
    # At 8 points 60 em are 480 and 18 beside them; the room is 450, and at 7 points 420 + 18 = 438 have it.
    assert not fits([20, 20, 20], 450)
    assert widths([20, 20, 20], texts=[True, False, False], room=450) == Widths(7.0, (150, 150, 150))


def test_long_texts_give_way_to_numbers_the_longest_first() -> None:
    # At 6 points 300, 90 and 60, of 282 that there are: numbers keep their 60, the texts share 222: all of 90, and 132.
    assert widths([50, 15, 10], texts=[True, True, False], room=300) == Widths(6.0, (138, 96, 66))


def test_where_numbers_alone_are_too_long_all_columns_are_narrower() -> None:
    # At 6 points 600 and 60; of the 288 that there are (60 - 372 is less than nothing for the text) 0.43636 of each.
    assert widths([100, 10], texts=[False, True], room=300) == Widths(6.0, (267.82, 32.18))


def test_words_that_are_longer_than_their_column_may_be_parted() -> None:
    # 20 points hold (20 - 6) / (6 * 0.585) = 3.99, so 3 characters.
    narrow = Widths(6.0, (20.0, 200.0))
    assert narrow.all_parted(["abcdefg hi", "abcdefg hi"]) == [f"abc{BREAK}def{BREAK}g hi", "abcdefg hi"]


def test_a_label_that_is_too_long_ends_in_an_ellipsis() -> None:
    # Ten characters are 5.85 em.
    assert shortened("Production", 5.85) == "Production"
    assert shortened("Production of bread", 5.85) == "Productio…"
    assert shortened("A place by the sea", 1.8) == "A…"
