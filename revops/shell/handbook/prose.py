"""Prose: the few words of a page that no declaration has. Its blocks are run as all others."""

from typing import Final

OPTIONS: Final = """\
In lightningd's config file, and for `setconfig`, every name has `revenue-ops-` before it.
`revenue-config` and the simulator's `--set` take the bare name.

## Which setting wins

The newest. It does not matter how it was set, and a restart changes nothing:

- `setconfig` is in force at once. lightningd keeps it in `config.setconfig`, in the directory of
  the network, and puts that before its other files: an option that is in there is edited there.
- `revenue-config set` is in force at once. The books keep it.
- A line of the config file that was edited is newer than all that was set before it, and in force
  from the next start on. Taking a line out does not undo what `revenue-config` set.
- `revenue-config reset` forgets what `revenue-config` set.

`revenue-config get` tells where a value comes from:

```console
$ lightning-cli revenue-config set min-fee-ppm 25
{
…
   "old_value": 10,
   "new_value": 25,
   "source": "revenue-config",
…
$ lightning-cli setconfig revenue-ops-min-fee-ppm 30
…
$ lightning-cli revenue-config get min-fee-ppm
{
…
   "value": 30,
   "source": "setconfig",
…
```
"""

PRESETS: Final = """\
Every preset sets the same options and no others. It is shown first what would change:

```sh
lightning-cli revenue-config preset small
lightning-cli revenue-config preset small true
```
"""

COMMANDS: Final = """\
Arguments go by place, or by name after `-k`. Those in brackets may be left out.
A wrong argument is refused with a sentence that names it, and nothing is changed.
"""

METRICS: Final = """\
With `prometheus` set, the plugin serves these at `/metrics`, on 127.0.0.1 port 9800 unless
`prometheus-bind` and `prometheus-port` say otherwise. There is no password: whoever reaches the
port reads what the node holds and earns. On 127.0.0.1, ask for an address or for `localhost`: other
names are refused, as a web page may have one that leads there.

The worker makes a page once a minute, and asks lightningd once a day what each peer calls itself. A
scrape sends that page, and asks neither lightningd nor the books.

```sh
lightning-cli setconfig revenue-ops-prometheus true
```

Money is in millisatoshi, as the name says, time in seconds, moments in seconds since 1970. What is
unknown has no value, which is not 0. Channels go by `scid` and `peer_id`; what a peer calls itself
stands in `revops_channel_info` alone. `contrib/` has a dashboard, alerts and the few lines for
prometheus.yml; [alerts.md](alerts.md) says what each alert means.
"""

PROCESS: Final = """\
## Process

`process_*` and `python_*`, as every program has them that uses Prometheus' client for Python:
memory, processor time, open files, garbage collections.
"""

REASONS: Final = """\
`revenue-explain` shows for every channel the reasons that led to its price, in the order of the
stages. Each has a code, which never changes its name, and a sentence. Words in brackets stand for
numbers and names; the answer has them as `facts` too.
"""

ANSWERS: Final = {
    "revenue-status": """\
$ lightning-cli revenue-status 0
{
   "status": "running",
   "summary": "live: 7 channels …: … nothing is wrong",
   "troubles": [],
…
   "held": […],
   "gossip": {
      "node_per_hour": {
         "used": …,
         "left": …
      },
…
""",
    "revenue-explain": """\
$ lightning-cli revenue-explain 851370x470x1
{
…
   "channels": [
      {
         "scid": "851370x470x1",
…
         "fee": {
…
            "outcome": "applied",
            "may_change_at": …,
            "do": "set_fee",
            "old_fee_ppm": …,
            "new_fee_ppm": …,
…
            "because": {
               "code": "set",
               "text": "set … ppm, base 0 msat"
            },
            "change": [
               {
                  "setting": "base-fee-msat",
                  "now": 0,
                  "how": "revenue-config set base-fee-msat VALUE, …"
               },
…
            "steps": [
…
               {
                  "code": "bounds",
                  "text": "within 10 to 5000 ppm (min-fee-ppm, max-fee-ppm)",
                  "before_ppm": …,
                  "after_ppm": …,
…
""",
    "revenue-rebalance-debug": """\
$ lightning-cli revenue-rebalance-debug 851370x470x1
{
…
   "capital_controls": {
      "onchain_sats": …,
…
      "budget_remaining_sats": 5000,
…
   "candidates": [],
   "rejection_reasons": [],
   "channels": {
      "depleted": [],
      "source": [
         {
            "scid": "851370x470x1",
            "peer_id": …,
            "local_pct": 94.…,
…
""",
    "revenue-rebalance": """\
$ lightning-cli revenue-rebalance -k from=851370x470x1 to=851371x7x0 amount_sats=100000 force=true
{
   "status": "initiated",
   "success": true,
   "rebalance_id": …,
   "to_channel": "851371x7x0",
…
   "from_channels": [
      "851370x470x1"
   ],
   "amount_sats": 100000,
…
   "max_ppm": 1000,
   "max_fee_sats": 200,
…
   "message": "its money is reserved, and sling is asked within … s: …"
}
$ lightning-cli revenue-rebalance 851370x470x1 851371x5x0 30000000
{
   "status": "error",
   "error": "to: 851371x5x0: …; force=true asks for no profit: the budget … still hold"
}
""",
    "revenue-jobs": """\
$ lightning-cli revenue-jobs
{
   "jobs": [
      {
         "rebalance_id": …,
…
         "state": …,
         "deadline": …,
         "reserved_sats": …,
…
""",
    "revenue-set-fee": """\
$ lightning-cli revenue-set-fee 851370x470x1 300
{
   "status": "success",
…
   "old_fee_ppm": …,
   "new_fee_ppm": 300,
…
   "pinned_until": …,
   "message": "revops leaves it alone until then"
}
$ lightning-cli revenue-set-fee 851370x470x1 9000
{
   "code": -32602,
   "message": "revenue-set-fee: ppm: expected 10 to 5000 …, got 9000; force=true sets it anyway"
}
""",
    "revenue-config": """\
$ lightning-cli revenue-config get max-fee-ppm
{
   "key": "max-fee-ppm",
   "option": "revenue-ops-max-fee-ppm",
   "value": …,
   "source": …,
…
""",
    "revenue-restore-fees": """\
$ lightning-cli revenue-restore-fees
{
   "status": "success",
   "restored": …,
   "already": …,
   "failed": [],
…
""",
}
"""What a terminal shows, shortened, by command."""
