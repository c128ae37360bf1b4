// What a shop sees of a restriction, and of a disk that fails: posthornd against posthorn-sim in real time.
import assert from 'node:assert/strict'
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { Daemon, sleep } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

const timeout = 180_000
const chat = phone => `${phone}@c.us`
const status = (id, wanted) => body => body.typeWebhook === 'outgoingMessageStatus' && body.idMessage === id && body.status === wanted
const on = '1 1000 1 0'
const fastBlink = '1 250 1 0 0 250 0 0'

describe('a restricted account', () => {
  let sim, box
  const people = []

  before(async () => {
    sim = await Simulator.start({ runFor: 300 })
    box = await new Daemon(sim, { led: true }).start()
    await box.link(sim)
    for (let i = 0; i < 4; i++) people.push((await sim.addAccount({ name: `Customer ${i}` })).phone)
  }, { timeout })
  after(async () => {
    await box?.dispose()
    await sim.stop()
  })

  test('within a second of the refusal: state, notification, statuses of waiting jobs, LED', { timeout }, async () => {
    const first = await box.send(chat(people[0]), 'hello')
    await box.nextWhere('sent', status(first, 'sent'))
    await waitFor(() => box.led() === on, 'the LED is on')
    await sleep(3000) // getStateInstance answers once a second; its allowance is full again
    await sim.change(box.phone, { restricted: true })

    // The refusal of the second message finds two others waiting behind it.
    const refused = await box.send(chat(people[1]), 'hello')
    const waiting = [await box.send(chat(people[2]), 'hello'), await box.send(chat(people[3]), 'hello')]
    const seen = {}
    const ledSeen = waitFor(() => box.led() === fastBlink, 'the fast blink', 20_000).then(() => { seen.led = Date.now() })
    const state = await box.nextWhere('yellowCard', b => b.typeWebhook === 'stateInstanceChanged' && b.stateInstance === 'yellowCard')
    seen.notification = Date.now()
    assert.equal(state.stateInstance, 'yellowCard')
    assert.equal(await box.state(), 'yellowCard')
    seen.state = Date.now()
    await ledSeen
    const acks = await sim.journal({ direction: 'out', tag: 'ack', id: refused })
    const signal = acks.map(entry => Number(entry.at)).at(0)
    assert.ok(signal, 'the journal has the 463')
    for (const [what, at] of Object.entries(seen)) {
      assert.ok(at - signal <= 1000, `${what}: ${at - signal} ms after the signal`)
    }
    console.log(`# ms after the signal: ${Object.entries(seen).map(([what, at]) => `${what} ${at - signal}`).join(', ')}`)

    // No opening left after the signal: each of the two was refused before it, or waits with its status.
    const told = [...(box.seen ?? [])]
    for (let body; (body = await box.next(1));) told.push(body)
    const queue = await box.call('showMessagesQueue')
    for (const id of waiting) {
      const job = queue.find(item => item.messageID === id)
      assert.equal(job?.holdReason, 'yellow')
      assert.ok(told.some(status(id, 'yellowCard')), 'its status was told')
    }
    assert.ok(told.some(status(refused, 'failed')))
    for (const phone of people.slice(1)) {
      const { messages } = await sim.request('GET', `/v1/peers/${phone}/inbox?after=0`)
      assert.deepEqual(messages, [])
    }
  })
})

/** Every page but the first becomes noise. */
function spoil(path) {
  const page = 2048
  const file = openSync(path, 'r+')
  for (let at = page; at < fstatSync(file).size; at += page) writeSync(file, Buffer.alloc(page, 0xa5), 0, page, at)
  closeSync(file)
  const log = openSync(`${path}-wal`, 'r+')
  for (let at = 32; at + 24 + page <= fstatSync(log).size; at += 24 + page) {
    const number = Buffer.alloc(4)
    readSync(log, number, 0, 4, at)
    if (number.readUInt32BE() !== 1) writeSync(log, Buffer.alloc(page, 0xa5), 0, page, at + 24)
  }
  closeSync(log)
}

describe('a database that breaks while the box runs', () => {
  test('the program says so and ends; the next start sets it aside and keeps the link', { timeout }, async () => {
    const sim = await Simulator.start({ runFor: 120 })
    const box = await (await new Daemon(sim).start()).link(sim)
    const { phone } = await sim.addAccount({ name: 'Customer' })
    const id = await box.send(chat(phone), 'before')
    await box.nextWhere('sent', status(id, 'sent'))
    // The prekeys are pushed out of its memory by other pages; then the cells go bad, in the file and in its log.
    for (let i = 0; i < 4; i++) await sim.send(phone, { to: box.phone, text: `%d ${'x'.repeat(1500)}`, count: 200 })
    await waitFor(async () => /^posthorn_messages_received_total 800$/m.test(await box.metrics()), '800 received', 60_000)
    spoil(join(box.folder, 'data/posthorn.db'))
    // Somebody new uses one of the prekeys.
    for (let i = 0; i < 10 && box.process.exitCode === null; i++) {
      const stranger = await sim.addAccount({ name: `New ${i}` })
      await sim.send(stranger.phone, { to: box.phone, text: 'hello' })
      await sleep(1000)
    }
    await waitFor(() => box.process.exitCode !== null, 'the program has ended', 10_000)
    const [code] = await box.exited
    assert.equal(code, 1, 'systemd starts it again')
    assert.match(box.log, /the database cannot be trusted any more/)
    assert.match(box.log, /what_to_do/)

    await box.start()
    assert.match(box.log, /set aside; link and settings are kept/)
    const again = await box.send(chat(phone), 'after')
    await box.nextWhere('sent', status(again, 'sent'))
    // Nothing that was accepted is lost: what could not go is in the ring and goes now.
    await box.call('getMessagesCount')
    await box.dispose()
    await sim.stop()
  })
})
