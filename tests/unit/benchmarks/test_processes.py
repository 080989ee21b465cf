"""CPU seconds and memory of the processes of a side, added up."""

from pathlib import Path

import pytest

from benchmarks.footprint import ours
from benchmarks.processes import TICKS, Usage, below, cpu_of_parts, part_of, pss_kib, read_stat, used_between

PYTHON = "/usr/bin/python3"


@pytest.mark.parametrize(
    ("command", "part"),
    [
        (f"{PYTHON} -m services.composer", "composer"),
        (f"{PYTHON} -m services.gateway", "gateway"),
        ("/jre/bin/java -Xmx256m -cp a.jar kafka.Kafka server.properties", "kafka"),
        ("/opt/pg/bin/postgres -D /proc/self/cwd --port=5432", "postgres"),
        ("postgres: pipeloom pipeloom 127.0.0.1(4242) idle", "postgres"),
        (f"{PYTHON} -m pipeloom up --data-dir /tmp/x", "supervisor"),
        (f"{PYTHON} -m uvicorn benchmarks.baseline.crud:app --port 1", "crud"),
        ("sleep 5", "other"),
    ],
)
def test_a_command_line_tells_the_part(command: str, part: str) -> None:
    assert part_of(command) == part


def test_a_process_is_read_whatever_its_name_holds() -> None:
    # Given a line of /proc/PID/stat: state, parent, …, then user, system and the ended children's ticks
    numbers = " ".join(str(number) for number in range(3, 50))
    line = f"42 (a) (b c) S {numbers}"
    # When
    usage = read_stat(line, "cmd")
    # Then
    assert (usage.pid, usage.parent) == (42, 3)
    assert usage.cpu_s == pytest.approx((13 + 14 + 15 + 16) / TICKS)


def test_this_process_can_be_read() -> None:
    # When
    usage = read_stat(Path("/proc/self/stat").read_text(), "pytest")
    # Then
    assert usage.pid > 0
    assert usage.cpu_s > 0


def test_a_tree_is_a_process_and_all_that_descend_from_it_in_any_order() -> None:
    # Given
    known = [Usage(4, 3, "d", 0.0), Usage(3, 2, "c", 0.0), Usage(2, 1, "b", 0.0), Usage(9, 1, "x", 0.0)]
    # When / Then
    assert {each.pid for each in below(known, 2)} == {2, 3, 4}


def test_cpu_is_added_up_by_part() -> None:
    # Given
    usages = [Usage(1, 0, "postgres: a", 1.0), Usage(2, 1, "postgres: b", 0.5), Usage(3, 0, "-m services.relay", 0.25)]
    # When / Then
    assert cpu_of_parts(usages) == {"postgres": 1.5, "relay": 0.25}


def test_what_was_used_is_the_difference_and_never_negative() -> None:
    # Given a part that is new, one that worked on, and one whose process was replaced
    before, after = {"relay": 1.0, "composer": 5.0}, {"relay": 1.5, "composer": 0.1, "monitor": 0.2}
    # When / Then
    assert used_between(before, after) == {"relay": 0.5, "composer": 0.0, "monitor": 0.2}


def test_the_proportional_set_size_is_read_and_not_its_parts() -> None:
    assert pss_kib("Rss:   900 kB\nPss_Anon:   1 kB\nPss:    512 kB\nPss_Dirty:  3 kB\n") == 512


def test_memory_of_our_own_leaves_kafka_and_postgres_out() -> None:
    assert ours({"kafka": 200.0, "postgres": 50.0, "relay": 40.0, "composer": 45.0}) == 85.0
