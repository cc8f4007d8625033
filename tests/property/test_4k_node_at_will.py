"""§4 A node at will: it accepts, refuses or is silent; people interfere, channels come and go."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from property.strategies import ppms, ratios, whole
from property.trails import codes
from property.world import World, quiet_channel

from revops.core.actions import SetFee
from revops.core.config import Config
from revops.core.reasons import Code
from revops.core.units import DAY, HOUR, from_sats

CAPACITY = from_sats(5_000_000)
CONFIG = Config(
    min_fee_ppm=20, max_fee_ppm=3000, max_fee_updates_per_day=2, max_node_updates_per_hour=1
)
NUMBERS = st.integers(0, 2)
YIELDED = (Code.MANUAL_CHANGE, Code.PINNED, Code.ORDERED)


class NodeAtWill(RuleBasedStateMachine):
    """
    Three channels, revops looking at them whenever it likes, and everything that may happen to its
    requests and to the fees in between.
    """

    def __init__(self):
        super().__init__()
        self.world = World(
            [
                quiet_channel(n, fee_ppm=(30, 500, 2500)[n], max_htlcs=100, htlc_max_msat=CAPACITY)
                for n in range(3)
            ],
            CONFIG,
        )
        self.ids = sorted(self.world.channels)
        # What revops may take for its own doing, and whom it has to yield to until when.
        self.expected = {channel_id: set() for channel_id in self.ids}
        self.interfered = set()
        self.yields = {}

    def in_force(self, channel_id):
        """
        Return the price that the node has.
        """
        channel = self.world.channels[channel_id]
        return channel.fee_ppm, channel.base_fee_msat

    @rule(seconds=whole(1, 2 * HOUR) | whole(1, 2 * DAY))
    def time_passes(self, seconds):
        """
        Time passes, a little or a lot.
        """
        self.world.wait(seconds)

    @rule(number=NUMBERS, count=whole(1, 60))
    def payments_leave(self, number, count):
        """
        Payments leave by a channel.
        """
        self.world.forward(self.ids[number], count)

    @rule(number=NUMBERS, share=ratios(0, 1))
    def balance_moves(self, number, share):
        """
        A balance changes, by whatever means.
        """
        ours = int(CAPACITY * share)
        self.world.change(self.ids[number], to_us_msat=ours, spendable_msat=ours)

    @rule(number=NUMBERS, slots=whole(0, 100))
    def slots_fill(self, number, slots):
        """
        HTLCs come and go.
        """
        self.world.change(self.ids[number], htlcs_in=slots)

    def ordered(self, channel_id):
        """
        Return the price that the operator ordered last, `None` when that is over.
        """
        order = self.world.orders.get(channel_id)
        return order and (order.price.fee_ppm, order.price.base_fee_msat)

    def awaits_a_look(self, channel_id):
        """
        Return whether an order is in force that revops has not seen yet.
        """
        memory = self.world.memory.channels
        known = {m.channel_id: m.fee.known for m in memory}.get(channel_id)
        seen = known and (known.fee_ppm, known.base_fee_msat)
        return self.ordered(channel_id) == self.in_force(channel_id) != seen

    @rule(number=NUMBERS, ppm=ppms(0, 10_000), hours=whole(0, 48), done=st.booleans())
    def operator_orders_a_fee(self, number, ppm, hours, done):
        """
        The operator orders a fee by command; a node that fell silent has set it or not. What it
        did not do is looked at before the next order: the books know one order at a time.
        """
        done = done or self.awaits_a_look(self.ids[number])
        self.world.order(self.ids[number], ppm, hours, done=done)

    @rule()
    def operator_wakes_all(self):
        """
        The operator wakes whoever rests.
        """
        self.world.wake = True

    @rule(number=NUMBERS)
    def channel_vanishes_or_returns(self, number):
        """
        The node lists a channel no more, or again.
        """
        self.world.hidden ^= {self.ids[number]}

    @rule(number=NUMBERS, block=whole(0, 2**24 - 1))
    def channel_is_spliced(self, number, block):
        """
        A splice changes the short channel id.
        """
        self.world.change(self.ids[number], scid=f"{block}x{number}x1")

    @rule(number=NUMBERS, ppm=ppms(0, 10_000), base=whole(0, 2000))
    def human_sets_a_fee(self, number, ppm, base):
        """
        Somebody sets a fee that is neither what revops saw nor what it asked for.
        """
        channel_id = self.ids[number]
        known = (ppm, base) in (*self.expected[channel_id], self.ordered(channel_id))
        if self.expected[channel_id] and not known and (ppm, base) != self.in_force(channel_id):
            self.world.change(channel_id, fee_ppm=ppm, base_fee_msat=base)
            self.interfered.add(channel_id)

    @rule(does=st.sampled_from(("accepts", "refuses", "falls silent, done", "falls silent")))
    def revops_looks(self, does):
        """
        A cycle; of what is sent the node does all or nothing, and says so or not: revops learns of
        it from the next look alone.
        """
        done = does in ("accepts", "falls silent, done")
        orders = {
            channel_id: order
            for channel_id, order in self.world.orders.items()
            if self.ordered(channel_id) == self.in_force(channel_id)
        }
        plan = self.world.cycle(lambda _action: done)
        for decision in plan.decisions:
            self._expect_to_yield(decision, orders.get(decision.channel_id))
            self._look_at(decision, done=done)

    def _expect_to_yield(self, decision, order):
        channel_id, now = decision.channel_id, self.world.now
        if order:
            self.interfered.discard(channel_id)
            self.yields[channel_id] = order.until
        if channel_id in self.interfered:
            self.interfered.remove(channel_id)
            self.yields[channel_id] = now + DAY
            assert codes(decision) == [Code.MANUAL_CHANGE]
        if now < self.yields.get(channel_id, 0):
            assert not isinstance(decision.action, SetFee)
            assert decision.action.until == self.yields[channel_id]
            assert codes(decision)[0] in YIELDED
        else:
            assert not set(YIELDED) & set(codes(decision))

    def _look_at(self, decision, *, done):
        action = decision.action
        before = self.in_force(decision.channel_id)
        self.expected[decision.channel_id] = {before}
        if isinstance(action, SetFee):
            asked = (action.new_ppm, action.new_base_msat)
            self.expected[decision.channel_id] |= {
                asked,
                (action.old_ppm, action.old_base_msat),
            }
            assert CONFIG.min_fee_ppm <= action.new_ppm <= CONFIG.max_fee_ppm
            assert not done or before == asked

    @precondition(lambda self: self.world.set_at)
    @invariant()
    def gossip_stays_within_its_budget(self):
        """
        Of what came into force by our doing, no day of a channel and no hour of the node holds more
        than the budgets, urgent updates beside the others.
        """
        now = self.world.now
        for urgent in (False, True):
            made = {
                channel_id: [at for at, how in updates if how is urgent]
                for channel_id, updates in self.world.set_at.items()
            }
            daily, hourly = (1, 1) if urgent else (2, 1)
            for times in made.values():
                assert sum(at > now - DAY for at in times) <= daily
            assert sum(at > now - HOUR for times in made.values() for at in times) <= hourly

    @invariant()
    def memory_outlives_absence(self):
        """
        What was once seen is remembered, listed or not.
        """
        remembered = {memory.channel_id for memory in self.world.memory.channels}
        assert all(
            channel_id in remembered for channel_id, expected in self.expected.items() if expected
        )


TestNodeAtWill = NodeAtWill.TestCase
TestNodeAtWill.settings = settings(stateful_step_count=40)
