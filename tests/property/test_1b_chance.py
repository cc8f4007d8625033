"""§1 Chance: a draw is a hash of the seed and the question, and of nothing else."""

from hypothesis import given
from hypothesis import strategies as st
from property.strategies import whole

from revops.core.chance import draw

questions = st.lists(st.text(), min_size=1, max_size=3).map(tuple)


@given(whole(), questions)
def test_a_draw_is_a_number_below_one(seed, question):
    """
    Every draw is in [0, 1).
    """
    assert 0 <= draw(seed, *question) < 1


@given(whole(), st.lists(questions, unique=True, min_size=2, max_size=6), st.data())
def test_other_questions_change_no_draw(seed, asked, data):
    """
    Neither the order nor the number of questions changes what one of them draws, so that adding a
    channel changes no other channel's draw.
    """
    alone = {question: draw(seed, *question) for question in asked}
    shuffled = data.draw(st.permutations(asked))

    assert {question: draw(seed, *question) for question in shuffled} == alone


@given(whole(), whole(max_value=999))
def test_other_questions_draw_otherwise(seed, number):
    """
    Another question or another seed draws another number.
    """
    here = draw(seed, "side", str(number))

    assert here != draw(seed, "side", str(number + 1))
    assert here != draw(seed + 1, "side", str(number))


def test_a_draw_stays_what_it_is():
    """
    A cycle that was recorded long ago, on another machine, draws again what it drew.
    """
    assert draw(0, "probe") == 0.5160371482888387
    assert draw(7, "side", "103x1x0") == 0.3858891996120507


@given(whole())
def test_draws_are_even(seed):
    """
    Of a thousand draws, each quarter gets about a quarter.
    """
    quarters = [0] * 4
    for number in range(1000):
        quarters[int(4 * draw(seed, "channel", str(number)))] += 1

    # Eight standard deviations: no seed in a lifetime of tests goes beyond.
    assert all(140 < quarter < 360 for quarter in quarters)
