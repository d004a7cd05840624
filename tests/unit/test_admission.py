"""Who may come in, by the claims of an ID token; and settings that say something impossible."""

import pytest

from dashboard import sign_in
from engines.core import UserError

OPEN = ("a.org", "b.co.uk")


@pytest.mark.parametrize(
    "address",
    ["ann@a.org", "Ann@A.ORG", "a.b+c@b.co.uk", '"odd@name"@a.org'],
    ids=["plain", "large", "tagged", "quoted"],
)
def test_listed_domains_come_in(address):
    assert not sign_in.refusal({"email": address, "email_verified": True}, OPEN)
    assert not sign_in.refusal({"email": address}, OPEN)


@pytest.mark.parametrize(
    "address", ["ann@x.a.org", "ann@a.org.evil.net", "ann@xa.org", "a.org", "@a.org@evil.net", "", "ann@", None, 3]
)
def test_all_others_do_not(address):
    assert "a.org and b.co.uk" in sign_in.refusal({"email": address, "email_verified": True}, OPEN)
    assert sign_in.refusal({}, OPEN)


@pytest.mark.parametrize("verified", [False, "false", "False"])
def test_an_address_that_was_not_verified_does_not_count(verified):
    assert "has not verified" in sign_in.refusal({"email": "ann@a.org", "email_verified": verified}, OPEN)


def test_without_a_list_everybody_may_who_can_sign_in():
    assert not sign_in.refusal({}, ())


@pytest.mark.parametrize(
    ("setting", "found"),
    [("", ()), (" a.org , @B.org;c.org,", ("a.org", "b.org", "c.org"))],
)
def test_the_list_is_read(monkeypatch, setting, found):
    monkeypatch.setenv(sign_in.SETTING, setting)
    assert sign_in.domains() == found


@pytest.mark.parametrize("setting", ["*.org", "ann@a.org", "a.org b.org", "localhost", ",", "."])
def test_a_list_that_names_no_domains_is_refused(monkeypatch, setting):
    monkeypatch.setenv(sign_in.SETTING, setting)
    with pytest.raises(UserError, match=sign_in.SETTING):
        sign_in.domains()
