"""What strangers say: shown where it helps, obeyed nowhere, and never with a secret in it."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revops.adapters.strangers import name, plain, quoted, scrubbed

NODE = "02" + "ab" * 32
BOLT11 = "lnbc20m1pvjluezsp5" + "zyg3" * 40
BOLT12 = "lno1qgsqvgnwgcg35z6ee2h3yczraddm72xrfua9uve2rlrm9deu7xyfzrc"
RUNE = "tU-RLjMiDpY2U0o3W1oFowar36RFGpWloPbW9-RuZdo9MyZpZD0wMjRiOW"
PREIMAGE = "5ec2e7" + "0f" * 29
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


@pytest.mark.parametrize("secret", [BOLT11, BOLT11.upper(), BOLT12, RUNE, RUNE + "=", PREIMAGE])
@pytest.mark.parametrize(
    "said",
    ["{}", "bad '{}'", '{{"x": "{}"}}', "x={}", "lightning:{}", "/{}/", "{}, and {}", "\n{}"],
)
def test_no_invoice_preimage_or_rune_is_repeated(secret: str, said: str) -> None:
    """
    However it is wrapped, no more than its length is told.
    """
    told = quoted(said.format(secret, secret))

    assert f"({len(secret.rstrip('='))}" in told or f"({len(secret)} letters left out)" in told
    assert secret[:8] not in told


def test_a_secret_is_left_out_before_a_sentence_is_cut() -> None:
    """
    None is short enough to be told because its end was beyond the last letter.
    """
    assert PREIMAGE[:8] not in quoted("x " * 70 + PREIMAGE)


def test_a_secret_drawn_anew_is_none_the_safer() -> None:
    """
    Whatever 32 bytes come to in hexadecimal or base64, it is left out.
    """
    for _ in range(100):
        for secret in (secrets.token_hex(32), secrets.token_urlsafe(32)):
            assert secret[5:15] not in scrubbed(f"error: '{secret}'")


def test_what_people_can_use_stays() -> None:
    """
    Node ids, short channel ids, amounts and words are no secrets.
    """
    said = f"Peer {NODE} of 851370x470x1: capacity exceeded by 1200000msat, see rpc-timeout-seconds"

    assert scrubbed(said) == said


@given(said=ANYTHING)
def test_a_quote_is_one_short_printable_line(said: str) -> None:
    """
    Of any text.
    """
    assert quoted(said).isprintable()
    assert len(quoted(said, 50)) <= 51 * len(r"\U0001f000")


@given(said=ANYTHING)
def test_a_name_is_one_short_printable_line(said: str) -> None:
    """
    Of any text; one that is such a line already stays as it is.
    """
    assert name(said).isprintable()
    assert len(name(said)) <= 64
    assert name(name(said)) == name(said)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b[2Jgone", "�[2Jgone"),
        ("\x9b2Jgone", "�2Jgone"),
        ("right\u202eleft", "right�left"),
        ("\u2066isolated\u2069", "�isolated�"),
        ("two\r\nlines\u2028three", "two��lines�three"),
        ("\ud800half", "�half"),
        ("[bold]<script>{{ 7 * 7 }}'; DROP TABLE", "[bold]<script>{{ 7 * 7 }}'; DROP TABLE"),
    ],
)
def test_what_is_no_letter_is_made_visible(said: str, shown: str) -> None:
    """
    Markup of any kind stays the text that it is: whoever shows it quotes it there.
    """
    assert plain(said) == shown


def test_ten_kilobytes_are_no_name() -> None:
    """
    The beginning is enough to know a node by.
    """
    assert name("x" * 10_240) == "x" * 63 + "…"
