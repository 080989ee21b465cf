"""What consumers may rely on, in the words of the guide and of the AsyncAPI document alike."""

READ_COMMITTED = """\
Read with `isolation.level=read_committed`. The relay publishes in Kafka transactions, and a consumer with the
default of `read_uncommitted` also sees the records of aborted ones."""

KEY = """\
The key of every record is the environment id in UTF-8, and its partition is the one that Kafka's default
partitioner (murmur2) gives that key. All topics have the same number of partitions."""

ORDER = """\
All events of an environment are in one partition, in the order of its history, and `ce_sequence` counts them.
Events of different environments have no order among each other."""

EXACTLY_ONE = """\
Each event is exactly one record, across crashes, restarts and pauses. This rests on three things: a command's
events are saved together with the cursor that says it was decided; the relay publishes in Kafka transactions,
behind what the topic already holds, and its transactional id shuts out an earlier relay that wakes up; and you read
committed records only."""

DEDUPE = """\
Your own reading is at least once, unless you store its effects and its offset together. So keep the last
`ce_sequence` of each environment and skip what is not greater. Or keep `ce_source` and `ce_id` of what has a
`ce_sequence`: the two are the event's own, and the same whenever it is told."""

GAPS = """\
A sequence has no gaps. If the next record of an environment skips a number, you have missed records: retention was
faster than you, or you read from the middle. Read again from where you were, or take the missing ones from
`GET /api/v1/events`. A record without `ce_sequence` is the rejection of a stray: it belongs to no history."""

REPLAY = """\
To read from the beginning, use a new group with `auto.offset.reset=earliest`, or seek. What is older than the
topic's retention is told by `GET /api/v1/events?from=beginning`: it reads the event log, which keeps everything, unless
the operator has set a retention of 14 days or more. Then it begins later, and the header `Pipeloom-Pruned-Up-To` says
behind which event."""

NOTICES = """\
A notice is told once, and may be told again under the same `ce_id` when the monitor was killed just then. It says
what the monitor has seen; what became of a command is told by its result on the events topic alone."""

VERSIONS = """\
A type's version is part of `ce_type`. Within a version, fields may be added; none goes, none changes its type or
meaning, and an event brings no value that its schema did not allow. Ignore fields and types that you do not know.
What cannot keep that has a new version: records stay as they were written, over HTTP all are told in the present
version, and commands of earlier versions are still taken."""

SCHEMAS = """\
`ce_dataschema` is the `$id` of the value's JSON Schema, for example
`pipeloom:/schemas/events/PipelineCreated.v1.json`. Every HTTP service of an installation serves it under the path
of that URI: `GET /schemas/events/PipelineCreated.v1.json`."""

COMMAND_PROMISES = """\
Produce with acks=all and idempotence. What Kafka has acknowledged will be decided, once for each `ce_id` of an
environment, in the order of the partition. An id is known for ever, unless the operator has set a retention of 14 days
or more; a repeat after that is a new command. Each command ends in exactly one result on the events topic: the record
whose `ce_commandid` is the command's id and whose `ce_result` is `true`. A record that is no command is kept as a
dead letter and, where it has an id and an environment, answered with `CommandRejected`."""

FOR_CONSUMERS = {
    "Order": ORDER,
    "One record for each event": EXACTLY_ONE,
    "Dropping doubles": DEDUPE,
    "Gaps": GAPS,
    "Reading from the beginning": REPLAY,
    "Versions": VERSIONS,
}
