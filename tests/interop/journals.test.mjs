// What was said, asked for as a till asks: histories, messages by id and by the till's own number, calls, after a power
// cut too; and the QR code as a browser's page gets it, over a WebSocket.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import WebSocket from 'ws'

import { BaileysClient } from './lib/baileys.mjs'
import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

const timeout = 90_000

describe('the journal of posthornd', () => {
  let sim, box, customer

  before(async () => {
    sim = await Simulator.start({ runFor: 400 })
    box = await new Daemon(sim).start()
  }, { timeout })
  after(async () => {
    await customer?.stop()
    const violations = (await sim.violations()).filter(v => v.device.startsWith(box.phone))
    await box?.dispose()
    await sim.stop()
    assert.deepEqual(violations, [])
  })

  const chatId = () => `${customer.phone}@c.us`
  const history = (more = {}) => box.call('getChatHistory', { chatId: chatId(), ...more })
  const say = async content => {
    const sent = await customer.socket.sendMessage(`${box.phone}@s.whatsapp.net`, content)
    customer.sent.set(sent.key.id, sent.message)
    return sent
  }

  test('scanqrcode tells the codes, then the account, and closes', { timeout }, async () => {
    const socket = new WebSocket(`${box.url.replace('http', 'ws')}/waInstance${box.id}/scanqrcode/${box.token}`)
    const told = []
    socket.on('message', text => told.push(JSON.parse(text)))
    const closed = new Promise(resolve => socket.on('close', resolve))
    const code = await waitFor(() => told.find(m => m.type === 'qrCode'), 'a code')
    assert.equal(Buffer.from(code.message, 'base64').subarray(1, 4).toString(), 'PNG')
    box.phone = (await sim.scan(code.qrText)).phone
    await closed
    const last = told.at(-1)
    assert.equal(last.type, 'accountData')
    assert.equal(last.message.wid, `${box.phone}@c.us`)
    await box.authorized()
    const again = new WebSocket(`${box.url.replace('http', 'ws')}/waInstance${box.id}/scanqrcode/${box.token}`)
    const answer = await new Promise((resolve, reject) => { again.on('message', resolve).on('error', reject) })
    assert.equal(JSON.parse(answer).type, 'alreadyLogged')
    const wrong = new WebSocket(`${box.url.replace('http', 'ws')}/waInstance${box.id}/scanqrcode/${'0'.repeat(50)}`)
    await assert.rejects(new Promise((resolve, reject) => { wrong.on('open', resolve).on('error', reject) }), /401/)
    customer = await BaileysClient.link(sim)
  })

  test('a question, its answer, and what became of it', { timeout }, async () => {
    assert.deepEqual(await history(), [])
    await customer.send(box.phone, 'Is the cake ready?')
    await box.nextWhere('the question', b => b.typeWebhook === 'incomingMessageReceived')
    const id = await box.send(chatId(), 'Yes, come any time', { externalId: 'order-118' })
    const status = await box.nextWhere('sent', b => b.typeWebhook === 'outgoingMessageStatus' && b.status === 'sent')
    assert.equal(status.externalId, 'order-118')
    await waitFor(async () => ['delivered', 'read'].includes((await history())[0].statusMessage), 'it was delivered')
    const [answer, question] = await history()
    assert.equal(answer.idMessage, id)
    assert.equal(answer.textMessage, 'Yes, come any time')
    assert.equal(answer.sendByApi, true)
    assert.equal(answer.externalId, 'order-118')
    assert.deepEqual([question.type, question.textMessage, question.senderId], ['incoming', 'Is the cake ready?', chatId()])
    assert.deepEqual((await box.call('lastIncomingMessages')).map(m => m.idMessage), [question.idMessage])
    assert.deepEqual((await box.call('lastOutgoingMessages', undefined, { query: 'externalId=order-118' })).map(m => m.idMessage), [id])
    assert.equal((await box.call('getMessage', { chatId: chatId(), idMessage: id })).textMessage, 'Yes, come any time')
  })

  test('a reply to the order brings its number', { timeout }, async () => {
    const order = customer.messages.find(m => BaileysClient.textOf(m) === 'Yes, come any time')
    const sent = await customer.socket.sendMessage(`${box.phone}@s.whatsapp.net`, { text: 'At six?' }, { quoted: order })
    customer.sent.set(sent.key.id, sent.message)
    const told = await box.nextWhere('the reply', b => b.messageData?.typeMessage === 'quotedMessage')
    assert.equal(told.messageData.quotedMessage.externalId, 'order-118')
  })

  test('an edit and a deletion of theirs and of ours', { timeout }, async () => {
    const first = await say({ text: 'Two cakes' })
    await say({ text: 'Three cakes', edit: first.key })
    const find = async id => (await history()).find(m => m.idMessage === id)
    await waitFor(async () => (await find(first.key.id))?.isEdited, 'the edit')
    assert.equal((await find(first.key.id)).textMessage, 'Three cakes')
    await say({ delete: first.key })
    await waitFor(async () => (await find(first.key.id))?.isDeleted, 'the deletion')
    assert.equal((await find(first.key.id)).textMessage, undefined)
    const id = await box.send(chatId(), 'At seven')
    await waitFor(async () => (await find(id))?.statusMessage !== 'pending', 'it was sent')
    await box.call('editMessage', { chatId: chatId(), idMessage: id, message: 'At eight' })
    await waitFor(async () => (await find(id))?.textMessage === 'At eight', 'our edit')
  })

  test('a call that comes in', { timeout }, async () => {
    const caller = await sim.addAccount({ name: 'Caller' })
    await sim.do(caller.phone, 'call', { to: box.phone })
    const call = await waitFor(async () => (await box.call('lastIncomingCalls'))[0], 'the call')
    assert.deepEqual([call.typeMessage, call.chatId, call.isVideo], ['incomingCall', `${caller.phone}@c.us`, false])
    assert.deepEqual(await box.call('lastOutgoingCalls'), [])
  })

  test('everything is there after the power went', { timeout }, async () => {
    await customer.send(box.phone, 'the last word')
    await box.nextWhere('the last word', b => b.messageData?.textMessageData?.textMessage === 'the last word' || b.messageData?.extendedTextMessageData?.text === 'the last word')
    const before = await history()
    await box.kill()
    await box.start()
    await box.authorized()
    const now = await history()
    assert.deepEqual(now.map(m => [m.idMessage, m.textMessage, m.isDeleted]), before.map(m => [m.idMessage, m.textMessage, m.isDeleted]))
    assert.equal(now[0].textMessage, 'the last word')
    assert.deepEqual((await history({ count: 2 })).length, 2)
  })
})
