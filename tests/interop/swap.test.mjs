// A dead box is replaced: backup, more messages, the box dies, another one takes its place.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { BaileysClient } from './lib/baileys.mjs'
import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'

const timeout = 180_000
const passphrase = 'correct horse battery'
const incoming = text => body => body.typeWebhook === 'incomingMessageReceived' &&
  (body.messageData?.textMessageData?.textMessage ?? body.messageData?.extendedTextMessageData?.text) === text

async function bytes(box, method, body) {
  const url = `${box.url}/waInstance${box.id}/${method}/${box.care}`
  const answer = await fetch(url, body === undefined ? {} : { method: 'PUT', body, headers: { 'content-type': 'application/octet-stream' } })
  assert.equal(answer.status, 200, method)
  return Buffer.from(await answer.arrayBuffer())
}

async function backUp(box, more = {}) {
  const { size } = await box.call('makeBackup', { passphrase, ...more }, { token: box.care })
  const backup = await bytes(box, 'readBackup')
  assert.equal(backup.length, size)
  return backup
}

async function restore(box, backup) {
  await bytes(box, 'uploadBackup', backup)
  const { note } = await box.call('restoreBackup', { passphrase, size: backup.length, confirm: 'replace' }, { token: box.care })
  assert.match(note, /Never run two boxes/)
  await box.exited
  await box.start()
}

describe('a dead box', () => {
  let sim, dead, heir, customer

  before(async () => {
    sim = await Simulator.start({ runFor: 900 })
    dead = await new Daemon(sim).start()
    await dead.link(sim)
    customer = await BaileysClient.link(sim)
  }, { timeout })
  after(async () => {
    await customer?.stop()
    const violations = await sim.violations()
    await heir?.dispose()
    await dead?.dispose()
    await sim.stop()
    assert.deepEqual(violations, [])
  })

  test('is replaced from its backup, though its ratchets moved on after it', { timeout }, async () => {
    const chat = `${customer.phone}@c.us`
    await dead.send(chat, 'before the backup')
    await customer.received('before the backup')
    await customer.send(dead.phone, 'answer before the backup')
    await dead.nextWhere('the answer', incoming('answer before the backup'))

    const short = await backUp(dead)
    const backup = await backUp(dead, { journal: true })
    assert.ok(!short.equals(backup))
    for (let i = 0; i < 5; i++) {
      await dead.send(chat, `after the backup ${i}`)
      await customer.received(`after the backup ${i}`)
      await customer.send(dead.phone, `answer ${i}`)
      await dead.nextWhere('the answer', incoming(`answer ${i}`))
    }
    const { id, token, phone } = dead
    await dead.kill()

    heir = await new Daemon(sim).start()
    await restore(heir, backup)
    assert.deepEqual({ id: heir.id, token: heir.token }, { id, token })
    await heir.authorized()

    // What was said until then came along, because it was asked for.
    const said = await heir.call('getChatHistory', { chatId: chat })
    assert.deepEqual(said.map(item => item.textMessage), ['answer before the backup', 'before the backup'])
    assert.equal(said[1].sendByApi, true)

    // The till did not change; both directions work, without a phone being linked again.
    await heir.send(chat, 'from the new box')
    await customer.received('from the new box')
    await customer.send(phone, 'to the new box')
    await heir.nextWhere('what the customer wrote', incoming('to the new box'), 60_000)
  })
})
