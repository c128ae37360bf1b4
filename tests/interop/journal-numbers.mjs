// How long a till waits for a history of 100 messages out of a long journal:
//   tests/interop/run --plain journal-numbers.mjs [messages] [times]
// Release build. The journal is written into the database while the box stands still; asked over HTTP on one connection.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { Daemon } from './lib/daemon.mjs'
import { median, memory } from './lib/measure.mjs'
import { Simulator } from './lib/simulator.mjs'

const messages = Number(process.argv[2] ?? 100_000)
const times = Number(process.argv[3] ?? 200)
const chats = 1000
const sim = await Simulator.start({ runFor: 1200 })
const box = await new Daemon(sim).start()

const body = (chat, i) => JSON.stringify({
  data: { typeMessage: 'textMessage', textMessageData: { textMessage: `message ${i}, ${'x'.repeat(120)}` } }, name: 'Ida', sender: chat
})

function fill(path) {
  const database = new DatabaseSync(path)
  database.exec('BEGIN')
  const chat = database.prepare('INSERT INTO journal_chats (n, chat, bytes) VALUES (?, ?, ?)')
  const row = database.prepare('INSERT INTO journal (chat, id, at, kept, what, direction, by_api, status, external, size, body) VALUES (?, ?, ?, ?, 0, ?, 0, 0, \'\', 400, ?)')
  const now = Math.floor(Date.now() / 1000)
  for (let n = 0; n < chats; n++) chat.run(1000 + n, `${4915560000000 + n}@c.us`, Math.ceil(messages / chats) * 400)
  for (let i = 0; i < messages; i++) {
    const who = `${4915560000000 + i % chats}@c.us`
    row.run(1000 + i % chats, `3EB0${(0x100000000000 + i).toString(16).toUpperCase()}`, now - messages + i, now, i % 3 === 0 ? 1 : 0, body(who, i))
  }
  database.exec('COMMIT')
  database.close()
}

try {
  await box.link(sim)
  await box.stop()
  fill(join(box.folder, 'data/posthorn.db'))
  await box.start()
  await box.authorized()
  const ask = async (name, work) => {
    const took = []
    for (let i = 0; i < times; i++) {
      const began = process.hrtime.bigint()
      const items = await work(i)
      took.push(Number(process.hrtime.bigint() - began) / 1e6)
      if (items.length !== 100) throw new Error(`${items.length} items`)
    }
    console.log(`${name.padEnd(40)} median ${median(took).toFixed(1)} ms, at most ${Math.max(...took).toFixed(1)} ms`)
  }
  console.log(`a journal of ${messages}; resident ${memory(box.process.pid).all.toFixed(1)} MiB`)
  await ask('getChatHistory of 100', i => box.call('getChatHistory', { chatId: `${4915560000000 + i * 7 % chats}@c.us`, count: 100 }))
  await ask('lastIncomingMessages, 100 of them', async () => (await box.call('lastIncomingMessages', undefined, { query: 'minutes=5' })).slice(0, 100))
  console.log(`resident ${memory(box.process.pid).all.toFixed(1)} MiB, highest ${memory(box.process.pid).peak.toFixed(1)} MiB`)
} finally {
  await box.dispose()
  await sim.stop()
}
