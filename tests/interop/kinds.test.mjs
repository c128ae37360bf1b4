// Every kind of message between posthornd and Baileys, both ways, with the right fields.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { jidNormalizedUser, proto } from '@whiskeysockets/baileys'

import { BaileysClient } from './lib/baileys.mjs'
import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

const timeout = 120_000

describe('posthornd and Baileys, kind by kind', () => {
  let sim, box, customer

  before(async () => {
    sim = await Simulator.start({ runFor: 600 })
    box = await new Daemon(sim).start()
    await box.link(sim)
    customer = await BaileysClient.link(sim)
    await box.call('setSettings', { editedMessageWebhook: 'yes', deletedMessageWebhook: 'yes' })
    await customer.send(box.phone, 'hello')
    await data('extendedTextMessage')
  }, { timeout })
  after(async () => {
    await customer?.stop()
    const violations = await sim.violations()
    await box?.dispose()
    await sim.stop()
    assert.deepEqual(violations, [])
  })

  const chatId = () => `${customer.phone}@c.us`
  const jid = () => `${box.phone}@s.whatsapp.net`
  /** The messageData of the next message of that type. */
  const data = async type => (await box.nextWhere(type, b => b.typeWebhook === 'incomingMessageReceived' && b.messageData.typeMessage === type)).messageData
  /** Posts; the message as the customer has it. */
  const post = async (method, body) => {
    const { idMessage } = await box.call(method, { chatId: chatId(), ...body })
    return waitFor(() => customer.messages.find(m => m.key.id === idMessage && m.message), `${method} at the customer`)
  }
  const say = async content => {
    const sent = await customer.socket.sendMessage(jid(), content)
    customer.sent.set(sent.key.id, sent.message)
    return sent
  }

  test('a place', { timeout }, async () => {
    const got = (await post('sendLocation', { latitude: 52.5208, longitude: 13.4094, nameLocation: 'Shop', address: 'Alexanderplatz 1' })).message.locationMessage
    assert.deepEqual([got.degreesLatitude, got.degreesLongitude, got.name, got.address], [52.5208, 13.4094, 'Shop', 'Alexanderplatz 1'])
    await say({ location: { degreesLatitude: 1.25, degreesLongitude: -2.5, name: 'Here' } })
    const told = (await data('locationMessage')).locationMessageData
    assert.deepEqual([told.latitude, told.longitude, told.nameLocation], [1.25, -2.5, 'Here'])
  })

  test('cards', { timeout }, async () => {
    const got = (await post('sendContact', { contact: { phoneContact: 4915550009999, firstName: 'Vera', company: 'Bakery' } })).message.contactMessage
    assert.equal(got.displayName, 'Vera')
    assert.match(got.vcard, /waid=4915550009999:/)
    const card = name => ({ displayName: name, vcard: `BEGIN:VCARD\nVERSION:3.0\nFN:${name}\nEND:VCARD` })
    await say({ contacts: { displayName: 'Otto', contacts: [card('Otto')] } })
    assert.equal((await data('contactMessage')).contactMessageData.displayName, 'Otto')
    await say({ contacts: { displayName: '2 contacts', contacts: [card('Otto'), card('Vera')] } })
    assert.deepEqual((await data('contactsArrayMessage')).messageData.contacts.map(c => c.displayName), ['Otto', 'Vera'])
  })

  test('a poll of theirs', { timeout }, async () => {
    await say({ poll: { name: 'Which?', values: ['Cherry', 'Plum'], selectableCount: 1 } })
    const told = (await data('pollMessage')).pollMessageData
    assert.equal(told.name, 'Which?')
    assert.deepEqual(told.options, [{ optionName: 'Cherry' }, { optionName: 'Plum' }])
    assert.equal(told.multipleAnswers, false)
  })

  test('a poll of ours, and their vote', { timeout }, async () => {
    const poll = await post('sendPoll', { message: 'Pick a day', options: [{ optionName: 'Mon' }, { optionName: 'Tue' }] })
    assert.deepEqual(poll.message.pollCreationMessageV3.options.map(o => o.optionName), ['Mon', 'Tue'])
    assert.equal(poll.message.messageContextInfo.messageSecret.length, 32)
    // Baileys reads votes and has no call that casts one: the customer's phone does, on the simulator.
    await sim.received(customer.phone, m => m.id === poll.key.id)
    await sim.send(customer.phone, { to: box.phone, vote_in: poll.key.id, options: ['Tue'] })
    const told = (await data('pollUpdateMessage')).pollMessageData
    assert.equal(told.stanzaId, poll.key.id)
    assert.deepEqual(told.votes, [{ optionName: 'Mon', optionVoters: [] }, { optionName: 'Tue', optionVoters: [chatId()] }])
  })

  test('an edit and a deletion of ours', { timeout }, async () => {
    const sent = await post('sendMessage', { message: 'Two cakes' })
    await box.call('editMessage', { chatId: chatId(), idMessage: sent.key.id, message: 'Three cakes' })
    const edit = await waitFor(() => customer.updates.find(u => u.key.id === sent.key.id && u.update.message?.editedMessage), 'the edit')
    assert.equal(edit.update.message.editedMessage.message.conversation, 'Three cakes')
    await box.call('deleteMessage', { chatId: chatId(), idMessage: sent.key.id })
    await waitFor(() => customer.updates.find(u => u.key.id === sent.key.id && u.update.messageStubType === proto.WebMessageInfo.StubType.REVOKE), 'the deletion')
  })

  test('an edit and a deletion of theirs', { timeout }, async () => {
    const sent = await say({ text: 'Two cakes' })
    await data('extendedTextMessage')
    await say({ text: 'Three cakes', edit: sent.key })
    assert.deepEqual((await data('editedMessage')).editedMessageData, { textMessage: 'Three cakes', stanzaId: sent.key.id })
    await say({ delete: sent.key })
    assert.deepEqual((await data('deletedMessage')).deletedMessageData, { stanzaId: sent.key.id })
  })

  test('reactions', { timeout }, async () => {
    const theirs = await say({ text: 'Is it ready?' })
    await data('extendedTextMessage')
    const got = await post('sendReaction', { idMessage: theirs.key.id, reaction: '👍' })
    assert.equal(got.message.reactionMessage.text, '👍')
    assert.equal(got.message.reactionMessage.key.id, theirs.key.id)
    const ours = await post('sendMessage', { message: 'Yes' })
    await say({ react: { text: '❤', key: ours.key } })
    const told = await data('reactionMessage')
    assert.equal(told.extendedTextMessageData.text, '❤')
    assert.equal(told.quotedMessage.stanzaId, ours.key.id)
  })

  test('what they wrote is passed on', { timeout }, async () => {
    const sent = await say({ text: 'Pass this on' })
    await data('extendedTextMessage')
    const { messages } = await box.call('forwardMessages', { chatId: chatId(), chatIdFrom: chatId(), messages: [sent.key.id] })
    const got = await waitFor(() => customer.messages.find(m => m.key.id === messages[0]), 'the forward')
    assert.equal(got.message.extendedTextMessage.text, 'Pass this on')
    assert.equal(got.message.extendedTextMessage.contextInfo.isForwarded, true)
  })

  test('a quote of another kind, a mention, and buttons as numbered lines', { timeout }, async () => {
    const place = await say({ location: { degreesLatitude: 1, degreesLongitude: 2, name: 'Here' } })
    await data('locationMessage')
    const reply = await post('sendMessage', { message: 'Coming', quotedMessageId: place.key.id })
    assert.equal(reply.message.extendedTextMessage.contextInfo.quotedMessage.locationMessage.name, 'Here')
    const named = await post('sendMessage', { message: `@${box.phone} look`, mentions: [`${box.phone}@c.us`] })
    assert.deepEqual(named.message.extendedTextMessage.contextInfo.mentionedJid, [jidNormalizedUser(jid())])
    const lines = await post('sendInteractiveButtonsReply', { body: 'Come today?', buttons: [{ buttonId: 'y', buttonText: 'Yes' }, { buttonId: 'n', buttonText: 'No' }] })
    assert.equal(BaileysClient.textOf(lines), 'Come today?\n\n1. Yes\n2. No')
  })

  test('the timer of disappearing messages is honoured', { timeout }, async () => {
    await customer.socket.sendMessage(jid(), { disappearingMessagesInChat: 86_400 })
    await customer.send(box.phone, 'after the timer')
    await data('extendedTextMessage').catch(() => null)
    const got = await waitFor(async () => {
      const sent = await post('sendMessage', { message: `gone soon ${Date.now()}` })
      return sent.message.extendedTextMessage?.contextInfo?.expiration === 86_400 && sent
    }, 'a message that disappears')
    assert.ok(got)
  })

  test('a call is told, and rejected when the shop wants it', { timeout }, async () => {
    const status = async () => (await box.nextWhere('a call', b => b.typeWebhook === 'incomingCall')).status
    const { id } = await sim.do(customer.phone, 'call', { to: box.phone })
    assert.equal(await status(), 'offer')
    await sim.do(customer.phone, 'hang_up', { id })
    assert.equal(await status(), 'hungUp')
    await box.call('setSettings', { rejectCalls: 'yes' })
    await sim.do(customer.phone, 'call', { to: box.phone, video: true })
    assert.equal(await status(), 'offer')
    assert.equal(await status(), 'declined')
  })
})
