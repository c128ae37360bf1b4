// The whole daemon under a power switch: kill -9 at random moments while 8 tills post, with a Baileys customer.
// Every message that was answered with 200 arrives exactly once. KILLS=200 by default.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { BaileysClient } from './lib/baileys.mjs'
import { Daemon, sleep } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

const kills = Number(process.env.KILLS ?? 200)
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

/** Repeats for a seed (mulberry32). */
function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

describe('kill -9 under load', () => {
  let sim, box, customer

  before(async () => {
    sim = await Simulator.start({ runFor: 1200 })
    box = await new Daemon(sim).start()
    await box.link(sim)
    customer = await BaileysClient.link(sim)
  }, { timeout: 60_000 })
  after(async () => {
    await customer?.stop()
    await box?.dispose()
    await sim?.stop()
  })

  test(`${kills} kills, 8 posting clients: every 200 arrives exactly once (seed ${seed})`, { timeout: 1_000_000 }, async () => {
    const random = generator(seed)
    const accepted = new Map() // id -> text
    let running = true
    const till = async number => {
      for (let i = 0; running; i++) {
        const text = `till ${number} receipt ${i}`
        const id = await box.send(`${customer.phone}@c.us`, text).catch(() => null) // no answer: no promise
        if (id) accepted.set(id, text)
        await sleep(id ? 150 : 30)
      }
    }
    const tills = Array.from({ length: 8 }, (_, number) => till(number))
    for (let n = 0; n < kills; n++) {
      await sleep(50 + random() * 700)
      await box.kill()
      await box.start()
    }
    running = false
    await Promise.all(tills)
    const arrived = () => customer.messages.filter(m => !m.key.fromMe && accepted.has(m.key.id))
    await waitFor(() => new Set(arrived().map(m => m.key.id)).size === accepted.size,
      `${accepted.size} messages, ${new Set(arrived().map(m => m.key.id)).size} there`, 300_000)
    await sleep(1000)
    const counts = new Map()
    for (const message of customer.messages.filter(m => !m.key.fromMe)) {
      counts.set(message.key.id, (counts.get(message.key.id) ?? 0) + 1)
    }
    assert.deepEqual([...counts].filter(([, count]) => count > 1), [])
    for (const [id, text] of accepted) {
      assert.equal(BaileysClient.textOf(arrived().find(m => m.key.id === id)), text)
    }
    assert.ok(accepted.size >= kills, `only ${accepted.size} messages were accepted`)
    console.log(`${kills} kills, ${accepted.size} messages, each exactly once`)
  })
})
