// App state between two linked devices of one account: posthornd and Baileys, each seeing what the other changes.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { BaileysClient } from './lib/baileys.mjs'
import { Daemon, sleep } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

// Baileys leaves timers of half a minute behind; whoever failed has been told by then.
after(() => setTimeout(() => process.exit(), 1000).unref())

const timeout = 90_000

describe('app state of posthornd and Baileys', () => {
  let sim, box, other, customer
  const chats = []
  const contacts = []

  before(async () => {
    sim = await Simulator.start({ runFor: 600 })
    box = await new Daemon(sim).start()
    await box.link(sim)
    other = await BaileysClient.link(sim, box.phone)
    other.socket.ev.on('chats.update', updates => chats.push(...updates))
    other.socket.ev.on('contacts.upsert', updates => contacts.push(...updates))
    customer = await sim.addAccount({ name: 'Ida' })
    await sim.send(customer.phone, { to: box.phone, text: 'hello' })
    await box.nextWhere('hello', b => b.typeWebhook === 'incomingMessageReceived')
    await waitFor(() => other.auth.creds.myAppStateKeyId, 'the keys at Baileys', 30_000)
  }, { timeout })
  after(async () => {
    await other?.stop()
    const violations = (await sim.violations()).filter(v => v.device.startsWith(box.phone))
    await box?.dispose()
    await sim.stop()
    assert.deepEqual(violations, [])
  })

  const chatId = () => `${customer.phone}@c.us`
  const info = async wanted => {
    let last
    return waitFor(async () => {
      await sleep(1100) // one a second
      last = await box.call('getContactInfo', { chatId: chatId() })
      return wanted(last) && last
    }, 'the box knows it', 30_000)
  }
  /** However Baileys names the person. */
  const isIda = id => [customer.pn, customer.lid].some(jid => id?.split('@')[0] === String(jid).split('@')[0])

  test('what the box archives is archived at Baileys', { timeout }, async () => {
    await box.call('archiveChat', { chatId: chatId() })
    await waitFor(() => chats.find(c => isIda(c.id) && c.archived === true), 'archived', 20_000)
    await box.call('unarchiveChat', { chatId: chatId() })
    await waitFor(() => chats.find(c => isIda(c.id) && c.archived === false), 'unarchived', 20_000)
  })

  test('what Baileys archives and mutes the box knows', { timeout }, async () => {
    const jid = customer.lid
    const lastMessages = [{ key: { remoteJid: jid, id: '3EB0A1B2C3D4E5F60718', fromMe: false }, messageTimestamp: Math.floor(Date.now() / 1000) }]
    await other.socket.chatModify({ archive: true, lastMessages }, jid)
    await info(answer => answer.isArchive)
    await other.socket.chatModify({ mute: Date.now() + 3_600_000 }, jid)
    await info(answer => answer.isMute)
  })

  test('a contact of the box is one at Baileys', { timeout }, async () => {
    const { addContact } = await box.call('addContact', { chatId: chatId(), firstName: 'Ida', lastName: 'Baker' })
    assert.equal(addContact, true)
    const seen = await waitFor(() => contacts.find(c => isIda(c.id) && c.name), 'the contact', 20_000)
    assert.equal(seen.name, 'Ida Baker')
  })

  test('whom the owner blocks nothing is sent to, until they are unblocked', { timeout }, async () => {
    const said = { chatId: chatId(), linkPreview: false }
    await other.socket.updateBlockStatus(customer.lid, 'block')
    await info(one => one.isBlocked === true)
    const refused = await box.call('sendMessage', { ...said, message: 'to a blocked one' })
    const status = await box.nextWhere('failed', b => b.typeWebhook === 'outgoingMessageStatus' && b.idMessage === refused.idMessage && b.status === 'failed')
    assert.match(status.description, /blocked on the shop's phone/)
    await assert.rejects(sim.received(customer.phone, m => m.id === refused.idMessage, 1_000))
    await other.socket.updateBlockStatus(customer.lid, 'unblock')
    await info(one => one.isBlocked !== true)
    const { idMessage } = await box.call('sendMessage', { ...said, message: 'friends again' })
    await sim.received(customer.phone, m => m.id === idMessage, 20_000)
  })

  test('what somebody says of themselves', { timeout }, async () => {
    await sim.change(customer.phone, { about: 'At the oven since four' })
    assert.equal((await info(one => one.about)).about, 'At the oven since four')
  })

  test('a message that the box deletes for itself goes at Baileys, and stays at the customer', { timeout }, async () => {
    const gone = []
    other.socket.ev.on('messages.delete', deletion => gone.push(...(deletion.keys ?? [])))
    const { idMessage } = await box.call('sendMessage', { chatId: chatId(), message: 'too early', linkPreview: false })
    await sim.received(customer.phone, m => m.id === idMessage, 20_000)
    await box.call('deleteMessage', { chatId: chatId(), idMessage, onlySenderDelete: true })
    await waitFor(() => gone.find(key => key.id === idMessage && key.fromMe), 'the deletion at Baileys', 20_000)
    await assert.rejects(sim.received(customer.phone, m => m.kind === 'revoke', 1_000))
  })
})

describe('a phone of many settings', () => {
  test('its collections come as files, and changes go on from there', { timeout }, async () => {
    const sim = await Simulator.start({ runFor: 300 })
    const box = new Daemon(sim)
    try {
      const shop = await sim.addAccount({ name: 'Shop' })
      const people = []
      for (let i = 0; i < 5; i++) people.push(await sim.addAccount({}))
      await sim.change(shop.phone, { snapshots: true })
      for (const one of people) await sim.request('POST', `/v1/accounts/${shop.phone}/state`, { what: 'contact', chat: one.phone, name: `Customer ${one.phone}` })
      await sim.request('POST', `/v1/accounts/${shop.phone}/state`, { what: 'archive', chat: people[0].phone })
      await box.start()
      await box.link(sim, shop.phone)
      const known = await waitFor(async () => {
        await sleep(1100)
        const all = await box.call('getContacts')
        return people.every(one => all.some(c => c.contactName === `Customer ${one.phone}`)) && all
      }, 'all contacts', 30_000)
      assert.ok(known.length >= 5)
      assert.ok((await sim.request('GET', '/v1/media')).downloads >= 2, 'they came as files')
      await box.call('addContact', { chatId: `${people[1].phone}@c.us`, firstName: 'Vera' })
      const { critical_unblock_low: contacts } = await sim.request('GET', `/v1/accounts/${shop.phone}/state`)
      assert.ok(contacts.entries.some(e => Buffer.from(e.value, 'base64').includes('Vera')), 'the phone can read what the box wrote')
      assert.deepEqual(await sim.violations(), [])
    } finally {
      await box.dispose()
      await sim.stop()
    }
  })
})

describe('history, as posthornd and Baileys take it from one phone', () => {
  let sim, box, other

  before(async () => {
    sim = await Simulator.start({ runFor: 300 })
    box = await new Daemon(sim).start()
    await box.link(sim)
    other = await BaileysClient.link(sim, box.phone, { history: true })
  }, { timeout })
  after(async () => {
    await other?.stop()
    const violations = (await sim.violations()).filter(v => v.device.startsWith(box.phone))
    await box?.dispose()
    await sim.stop()
    assert.deepEqual(violations, [])
  })

  test('names and chats of earlier days are known, and the file is confirmed', { timeout }, async () => {
    const ida = await sim.addAccount({ name: 'Ida' })
    const got = []
    other.socket.ev.on('messaging-history.set', set => got.push(set))
    const now = Math.floor(Date.now() / 1000)
    const messages = [
      { from_me: false, text: 'Is the cake ready?', at: now - 5000 },
      { from_me: true, text: 'At five', at: now - 4000 }
    ]
    const history = { type: 0, chats: [{ chat: ida.phone, messages }], names: [{ who: ida.phone, name: 'Ida K.' }] }
    await sim.request('POST', `/v1/accounts/${box.phone}/history`, history)
    const device = (await sim.account(box.phone)).devices[1].id
    await sim.expect({ tag: 'receipt', type: 'hist_sync', device: `${box.phone}:${device}@s.whatsapp.net` }, { within: 20_000 })
    const contacts = await box.call('getContacts')
    assert.equal(contacts.find(one => one.id === `${ida.phone}@c.us`)?.name, 'Ida K.')
    const chats = await box.call('getChats')
    assert.ok(chats.some(one => one.id === `${ida.phone}@c.us`), JSON.stringify(chats))
    // Baileys fetches from WhatsApp's own host only, so it gets the same within the message.
    await sim.request('POST', `/v1/accounts/${box.phone}/history`, { ...history, inline: true })
    const set = await waitFor(() => got.find(one => one.messages.length > 0), 'the history at Baileys', 20_000)
    assert.ok(set.messages.some(m => BaileysClient.textOf(m) === 'At five'))
  })
})
