"""Columns of tables on paper: as wide as what stands in them asks for, never wider than the page."""

import pytest

from reports.adapters.widths import BREAK, Widths, ems, fits, natural, shortened, widths


def test_columns_ask_for_their_longest_cell_and_the_longest_word_of_their_header() -> None:
    # R and nine others, 0.65 + 9 * 0.585; the header in bold: (0.65 + 0.94 + 4 * 0.585) * 1.15. 中 takes 1.05.
    assert natural(["Record no", "Amount"], [["R-00000001", "1"], ["R-2", "22"]]) == [
        pytest.approx(5.915),
        pytest.approx(4.5195),
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


def test_where_numbers_alone_are_too_long_the_longest_are_parted_and_short_columns_are_not() -> None:
    # At 6 points 600, 60, 30, of 282 that there are (60 - 408 is less than nothing for the text): the first has 192.
    assert widths([100, 10, 5], texts=[False, True, False], room=300) == Widths(6.0, (198, 66, 36))


def test_capitals_and_broad_letters_take_more_room() -> None:
    # 4 * 0.94; 0.65 + 2 * 0.785; a letter with a mark above it, and one that is not seen, take that of the letter.
    assert ems("WMwm") == pytest.approx(3.76)
    assert ems("LOG") == pytest.approx(2.22)
    assert ems("e\u0301\u200b") == pytest.approx(0.585)


def test_words_that_are_longer_than_their_column_may_be_parted() -> None:
    # 20 points hold (20 - 6) / (6 * 0.585) = 3.99, so 3 characters.
    narrow = Widths(6.0, (20.0, 200.0))
    assert narrow.all_parted(["abcdefg hi", "abcdefg hi"]) == [f"abc{BREAK}def{BREAK}g hi", "abcdefg hi"]
    # Of W 2.333 / 0.94 = 2. In bold 2.333 / 1.15 = 2.03 ems: 3 * 0.585 still.
    assert narrow.parted(0, "WWWWW") == f"WW{BREAK}WW{BREAK}W"
    assert narrow.parted(0, "abcdefg", is_bold=True) == f"abc{BREAK}def{BREAK}g"
    assert narrow.parted(0, "LOGOS", is_bold=True) == f"LO{BREAK}GO{BREAK}S"


def test_no_word_is_parted_between_a_letter_and_its_mark_nor_where_the_script_knows_better() -> None:
    narrow = Widths(6.0, (20.0,))
    assert narrow.parted(0, "abce\u0301de\u0301") == f"abc{BREAK}e\u0301de\u0301"
    assert narrow.parted(0, "中国电信集团") == "中国电信集团"


def test_a_label_that_is_too_long_ends_in_an_ellipsis() -> None:
    # P and nine others are 0.65 + 9 * 0.585 = 5.915 em; without the last there are 5.33, and … takes 0.94.
    assert shortened("Production", 5.92) == "Production"
    assert shortened("Production of bread", 6.3) == "Productio…"
    assert shortened("A place by the sea", 1.8) == "A…"
