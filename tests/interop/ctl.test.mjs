// posthornctl as whoever looks after the shop uses it: sends, and looks at chats, groups and what was said.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { downloadMediaMessage } from '@whiskeysockets/baileys'

import { BaileysClient } from './lib/baileys.mjs'
import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0' // the media host's certificate is made at its start

const timeout = 120_000

describe('posthornctl', () => {
  let sim, box, customer

  before(async () => {
    sim = await Simulator.start({ runFor: 400 })
    box = await new Daemon(sim).start()
    await box.link(sim)
    customer = await BaileysClient.link(sim, (await sim.addAccount({ name: 'Ida' })).phone)
    await customer.send(box.phone, 'Is the cake\u001b[31m ready?\u009b2J')
    await box.nextWhere('the question', b => b.typeWebhook === 'incomingMessageReceived')
  }, { timeout })
  after(async () => {
    await customer?.stop()
    const violations = (await sim.violations()).filter(v => v.device.startsWith(box.phone))
    await box?.dispose()
    await sim.stop()
    assert.deepEqual(violations, [])
  })

  const ctl = (...words) => box.ctl(...words)
  const arrived = id => waitFor(() => customer.messages.find(m => m.key.id === id && m.message), `${id} at the customer`, 30_000)

  test('sends a text and a file with words below it', { timeout }, async () => {
    const text = await arrived((await ctl('send', `+${customer.phone}`, 'Ready at five')).trim())
    assert.equal(BaileysClient.textOf(text), 'Ready at five')
    const path = join(box.folder, 'invoice 118.pdf')
    const content = Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(40_000)])
    writeFileSync(path, content)
    const file = await arrived((await ctl('send', `+${customer.phone}`, '--file', path, '--caption', 'Your invoice')).trim())
    const document = file.message.documentWithCaptionMessage.message.documentMessage
    assert.deepEqual([document.fileName, document.caption], ['invoice 118.pdf', 'Your invoice'])
    assert.ok((await downloadMediaMessage(file, 'buffer', {})).equals(content))
  })

  test('shows what was said, the newest last, and lets nobody command the terminal', { timeout }, async () => {
    const lines = (await ctl('history', `+${customer.phone}`)).trim().split('\n')
    assert.equal(lines.length, 3)
    assert.match(lines[0], /^\d{4}-\d\d-\d\d \d\d:\d\d {2}Ida: Is the cake \[31m ready\? 2J$/)
    assert.match(lines[1], /shop: Ready at five {2}\[(sent|delivered|read)\]$/)
    assert.match(lines[2], /shop: \[documentMessage\] Your invoice invoice 118\.pdf {2}\[/)
    assert.equal((await ctl('history', `${customer.phone}@c.us`, '--count', '1')).trim().split('\n').length, 1)
    assert.equal(await ctl('history', '4915550000000'), 'nothing in the journal\n')
  })

  test('shows chats, groups and the members of one', { timeout }, async () => {
    assert.match(await ctl('chats'), new RegExp(`^${customer.phone}@c\\.us +Ida$`, 'm'))
    const group = await box.call('createGroup', { groupName: 'Bakers', chatIds: [`${customer.phone}@c.us`] })
    assert.equal(group.created, true)
    await waitFor(async () => (await ctl('groups')).includes(group.chatId), 'the group in the list', 20_000)
    assert.match(await ctl('groups'), new RegExp(`^${group.chatId} +Bakers$`, 'm'))
    const shown = await ctl('groups', group.chatId)
    assert.match(shown, /^Bakers\n/)
    assert.match(shown, new RegExp(`^ {2}${box.phone}@c\\.us {2}\\((owner|admin)\\)$`, 'm'))
    assert.match(shown, new RegExp(`^ {2}${customer.phone}@c\\.us$`, 'm'))
  })
})
