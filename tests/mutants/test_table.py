"""What is told of the mutants: which there have to be, and which survived."""

from tests.mutants.__main__ import FOR_CHAOS, PATCHES, _table
from tests.mutants.layers import Verdict

# Each way of being wrong that has to be caught, and the patch that is wrong so.
DEMANDED = {
    "acknowledge before Kafka does": "acknowledged-before-kafka",
    "commit the offset first": "offset-committed-first",
    "no compare-and-set": "no-compare-and-set",
    "no epoch": "no-epoch",
    "no inbox": "no-inbox",
    "a relay that trusts a published flag": "relay-trusts-its-note",
    "publish before the commit": "published-before-the-commit",
    "acknowledge on an exception": "acknowledged-on-exception",
    "forget one table in the forced deletion": "forced-deletion-forgets-deployments",
    "skip a poison record": "poison-is-skipped",
    "drop the environment from one query": "a-list-without-its-environment",
    "answer success on a timeout": "success-on-a-timeout",
}


def test_there_is_a_mutant_for_each_way_of_being_wrong_that_has_to_be_caught() -> None:
    there = {patch.stem for patch in PATCHES.glob("*.patch")}

    assert set(DEMANDED.values()) <= there
    assert there >= FOR_CHAOS


def test_the_table_names_the_layer_that_caught_a_mutant_and_calls_a_survivor_one() -> None:
    caught = Verdict("no-epoch", "simulation", True, "40 seeds", 3.0, "an epoch wrote")
    survivor = Verdict("no-inbox", "simulation", False, "3000 seeds", 99.0, "nothing")

    lines = _table([caught, survivor]).splitlines()

    assert [line.split() for line in lines[2:4]] == [
        ["no-epoch", "simulation", "40", "seeds"],
        ["no-inbox", "NOBODY", "3000", "seeds"],
    ]
    assert lines[-1].startswith("1 of 2 caught")
