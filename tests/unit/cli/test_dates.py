"""Dates as people read and type them."""

from datetime import UTC, datetime, timedelta

import pytest

from sage_git.cli.dates import DateStyle, parse_date, parse_timestamp, show_date
from sage_git.errors import UsageError
from sage_git.operations.wording import relative

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "age, words",
    [
        (timedelta(seconds=0), "0 seconds ago"),
        (timedelta(seconds=89), "89 seconds ago"),
        (timedelta(seconds=90), "2 minutes ago"),
        (timedelta(minutes=89), "89 minutes ago"),
        (timedelta(minutes=90), "2 hours ago"),
        (timedelta(hours=35), "35 hours ago"),
        (timedelta(hours=36), "2 days ago"),
        (timedelta(days=13), "13 days ago"),
        (timedelta(days=14), "2 weeks ago"),
        (timedelta(days=70), "2 months ago"),
        (timedelta(days=364), "12 months ago"),
        (timedelta(days=366), "1 year ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(days=-1), "in the future"),
    ],
)
def test_an_age_is_said_as_git_says_it(age, words):
    assert relative(age) == words


@pytest.mark.parametrize(
    "style, shown",
    [
        (DateStyle.RELATIVE, "2 hours ago"),
        (DateStyle.ISO, "2026-03-01 10:00:00 +0000"),
        (DateStyle.SHORT, "2026-03-01"),
        (DateStyle.DEFAULT, "Sun Mar 1 10:00:00 2026 +0000"),
    ],
)
def test_dates_are_written_as_git_writes_them(style, shown):
    assert show_date(parse_timestamp("2026-03-01T10:00:00.000Z"), style, NOW) == shown


@pytest.mark.parametrize(
    "words, instant",
    [
        ("now", NOW),
        ("today", NOW.replace(hour=0)),
        ("yesterday", NOW - timedelta(days=1)),
        ("3 days ago", NOW - timedelta(days=3)),
        ("2.weeks", NOW - timedelta(weeks=2)),
        ("an hour ago", NOW - timedelta(hours=1)),
        ("2026-01-31T12:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("@1767225600", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_people_type_dates_in_many_ways(words, instant):
    assert parse_date(words, NOW) == instant


@pytest.mark.parametrize("words", ["", "soon", "2026-13-01", "9999999 years ago", "-1 days ago"])
def test_what_is_no_date_is_refused_with_examples(words):
    with pytest.raises(UsageError, match="is not a date"):
        parse_date(words, NOW)


def test_a_timestamp_that_is_none_stops_nobody():
    assert show_date(parse_timestamp("no time"), DateStyle.SHORT, NOW) == "undated"
    assert parse_date("999999 years ago", NOW).year == 1
