// The account's app state between posthornd and Baileys, both linked to one account of posthorn-sim:
// what the one changes the other shows, and the phone could read all of it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { BaileysClient } from './lib/baileys.mjs'
import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

const timeout = 180_000
const chat = phone => `${phone}@c.us`

describe('app state, posthornd and Baileys on one account', () => {
  let sim, box, other, customer
  const updates = []

  before(async () => {
    sim = await Simulator.start({ runFor: 900 })
    customer = await sim.addAccount({ name: 'Ida' })
    box = await new Daemon(sim).start()
    await box.link(sim)
    await sim.changeState(box.phone, { what: 'contact', chat: customer.phone, name: 'Ida Kern', first_name: 'Ida' })
    other = await BaileysClient.link(sim, box.phone)
    other.socket.ev.on('chats.update', list => updates.push(...list))
    other.socket.ev.on('contacts.upsert', list => updates.push(...list))
  }, { timeout })
  after(async () => {
    await other?.stop()
    const violations = await sim.violations()
    await box?.dispose()
    await sim.stop()
    assert.deepEqual(violations, [])
  })

  const shownChat = async () => (await box.call('getChats')).find(one => one.id === chat(customer.phone))

  test('the owner’s address book is the box’s', { timeout }, async () => {
    const found = await waitFor(async () => {
      const people = await box.call('getContacts')
      return people.find(one => one.id === chat(customer.phone) && one.contactName === 'Ida Kern')
    }, 'the contact', 30_000)
    assert.equal(found.type, 'user')
  })

  test('what the till archives is archived at Baileys and on the phone', { timeout }, async () => {
    await box.call('archiveChat', { chatId: chat(customer.phone) })
    await waitFor(() => updates.find(one => one.archived === true), 'Baileys shows it archived', 60_000)
    assert.equal((await shownChat()).archive, true)
    const state = await sim.state(box.phone)
    const entry = state.regular_low.entries.find(one => one.index[0] === 'archive')
    assert.ok(entry.index[1].includes(customer.lid.split('@')[0]) || entry.index[1].includes(customer.phone))
  })

  test('what Baileys takes out of the archive the box shows', { timeout }, async () => {
    const state = await sim.state(box.phone)
    const jid = state.regular_low.entries.find(one => one.index[0] === 'archive').index[1]
    await other.socket.chatModify({ archive: false, lastMessages: [{ key: { remoteJid: jid, fromMe: true, id: '3EB0AA' }, messageTimestamp: 1790000000 }] }, jid)
    await waitFor(async () => (await shownChat()).archive === false, 'the box shows it', 60_000)
  })

  test('a contact that the till saves is Baileys’ contact', { timeout }, async () => {
    const saved = await box.call('addContact', { chatId: chat(customer.phone), firstName: 'Ida', lastName: 'Bäcker' })
    assert.deepEqual(saved, { addContact: true })
    await waitFor(() => updates.find(one => one.name === 'Ida Bäcker'), 'Baileys has the contact', 60_000)
  })
})
