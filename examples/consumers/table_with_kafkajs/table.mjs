// Keep a table of the pipelines of all environments from the events topic alone, with Node and kafkajs.
//
// Reads the topic from its beginning to the end that it has now, prints the table as JSON, and ends. With --follow it
// goes on, and prints the table again whenever events have come.
//
//     set -a; . .pipeloom/env; set +a
//     npm ci --prefix examples/consumers/table_with_kafkajs
//     node examples/consumers/table_with_kafkajs/table.mjs
//
// PIPELOOM_KAFKA__TOPIC_PREFIX names the installation's topics (`pipeloom`).
//
// A consumer meets an event again after a crash, so an event has its effect only when its ce_sequence is greater than
// the last one of its environment. That one number is enough: an environment's sequence has no gaps and no swaps.

import { randomUUID } from 'node:crypto'
import kafkajs from 'kafkajs'

const SERVERS = process.env.PIPELOOM_KAFKA__BOOTSTRAP_SERVERS.split(',')
const TOPIC = `${process.env.PIPELOOM_KAFKA__TOPIC_PREFIX ?? 'pipeloom'}.events`
const FOLLOW = process.argv.includes('--follow')

const environments = new Map() // name -> { sequence, pipelines: name -> pipeline }

function take({ headers, value }) {
  const attribute = (name) => headers[`ce_${name}`]?.toString()
  if (attribute('sequence') === undefined) return // no event of a history: a note to a producer

  const name = attribute('environment')
  if (!environments.has(name)) environments.set(name, { sequence: 0, pipelines: new Map() })
  const environment = environments.get(name)
  const sequence = Number(attribute('sequence'))
  if (sequence <= environment.sequence) return // it had its effect before

  change(environment.pipelines, attribute('type'), value)
  environment.sequence = sequence
}

// A forced deletion of a step needs no case of its own: a PipelineDeleted for each of its pipelines comes before it.
function change(pipelines, type, value) {
  if (type === 'pipeloom.PipelineCreated.v1') {
    const { pipeline_name, created_at, status } = JSON.parse(value).pipeline // what the API lists; there is more
    pipelines.set(pipeline_name, { pipeline_name, created_at, status })
  } else if (type === 'pipeloom.PipelineDeleted.v1') {
    pipelines.delete(JSON.parse(value).pipeline.pipeline_name)
  }
}

const byKey = ([one], [other]) => (one < other ? -1 : 1)

function print() {
  const table = [...environments].sort(byKey).map(([name, { sequence, pipelines }]) => [
    name,
    { sequence, pipelines: [...pipelines].sort(byKey).map(([, pipeline]) => pipeline) },
  ])
  console.log(JSON.stringify(Object.fromEntries(table), null, 2))
}

// Where each partition that has anything ends now: partition -> the offset behind its last record.
async function findEnds(admin) {
  const partitions = await admin.fetchTopicOffsets(TOPIC)
  const filled = partitions.filter(({ low, high }) => low !== high)
  return new Map(filled.map(({ partition, high }) => [partition, BigInt(high)]))
}

// Read until every partition was read to its end; for ever with --follow.
async function read(consumer, ends) {
  await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
  await new Promise((resolve, reject) => {
    // Tells of every batch that was worked through, also of one with nothing in it but the marks of transactions.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset, batchSize } }) => {
      const behind = ends.size > 0
      if (BigInt(lastOffset) + 1n >= (ends.get(partition) ?? 0n)) ends.delete(partition)
      if (ends.size > 0) return
      if (behind || batchSize > 0) print()
      if (!FOLLOW) resolve()
    })
    consumer.on(consumer.events.CRASH, ({ payload: { error } }) => reject(error))
    consumer.run({ autoCommit: false, eachMessage: async ({ message }) => take(message) }).catch(reject)
  })
}

const kafka = new kafkajs.Kafka({ clientId: 'table-with-kafkajs', brokers: SERVERS, logLevel: kafkajs.logLevel.ERROR })
const admin = kafka.admin()
// A group of its own each time: the table is in memory, so each run wants all partitions, from their beginning, and
// commits nothing. What it cannot read ends it, or an event would be left out. Records of aborted transactions are not
// shown, which is what kafkajs does unless it is told otherwise.
const consumer = kafka.consumer({
  groupId: `table-with-kafkajs-${randomUUID()}`,
  readUncommitted: false,
  retry: { restartOnFailure: async () => false },
})
try {
  await Promise.all([admin.connect(), consumer.connect()])
  const ends = await findEnds(admin)
  if (ends.size === 0 && !FOLLOW) print()
  else await read(consumer, ends)
} finally {
  await Promise.all([admin.disconnect(), consumer.disconnect()])
}
