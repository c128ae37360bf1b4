// The vendor's own client as the POS: existing code, only the host changed.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createRequire } from 'node:module'

import { Daemon, sleep } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

const whatsApp = createRequire(import.meta.url)('@green-api/whatsapp-api-client')
const timeout = 60_000

describe("Green-API's client and posthornd", () => {
  let sim, box, pos, customer

  before(async () => {
    sim = await Simulator.start({ runFor: 300 })
    box = await new Daemon(sim).start()
    pos = whatsApp.restAPI({ idInstance: String(box.id), apiTokenInstance: box.token, host: box.url })
  }, { timeout })
  after(async () => {
    await box?.dispose()
    await sim.stop()
  })

  test('shows the QR code as a PNG and follows the state', { timeout }, async () => {
    assert.equal((await pos.instance.getStateInstance()).stateInstance, 'notAuthorized')
    const qr = await waitFor(async () => {
      const answer = await pos.instance.qr()
      return answer.type === 'qrCode' ? answer : null
    }, 'a QR code')
    assert.equal(Buffer.from(qr.message, 'base64').subarray(1, 4).toString(), 'PNG')
    await box.link(sim)
    customer = await sim.addAccount({ name: 'Customer', script: { read_after: 50 } })
    assert.equal((await pos.instance.qr()).type, 'alreadyLogged')
  })

  test('reads and changes settings', { timeout }, async () => {
    const settings = await pos.settings.getSettings()
    assert.equal(settings.wid, `${box.phone}@c.us`)
    await sleep(1100)
    assert.deepEqual(await pos.settings.setSettings({ outgoingAPIMessageWebhook: 'yes', incomingWebhook: 'yes' }), { saveSettings: true })
    await sleep(1100)
    assert.equal((await pos.settings.getSettings()).outgoingAPIMessageWebhook, 'yes')
  })

  test('sends, sees the statuses, receives and deletes notifications', { timeout }, async () => {
    const { idMessage } = await pos.message.sendMessage(`${customer.phone}@c.us`, null, 'Receipt 4711')
    assert.equal((await sim.received(customer.phone, m => m.id === idMessage)).text, 'Receipt 4711')
    await sim.send(customer.phone, { to: box.phone, text: 'Thank you' })
    const seen = []
    await waitFor(async () => {
      const got = await pos.webhookService.receiveNotification()
      if (!got) return false
      assert.deepEqual(await pos.webhookService.deleteNotification(got.receiptId), { result: true })
      seen.push(got.body.status ?? got.body.messageData?.textMessageData?.textMessage ?? got.body.messageData?.extendedTextMessageData?.text ?? got.body.typeWebhook)
      return ['sent', 'delivered', 'read', 'Thank you'].every(wanted => seen.includes(wanted))
    }, 'all four notifications', 30_000)
    assert.deepEqual(await pos.message.readChat(`${customer.phone}@c.us`), { setRead: true })
  })

  test('shows and clears the queue', { timeout }, async () => {
    assert.deepEqual(await pos.message.showMessagesQueue(), [])
    assert.deepEqual(await pos.message.clearMessagesQueue(), { isCleared: true })
  })

  test('a wrong chatId gets the documented 400', { timeout }, async () => {
    const answer = await pos.message.sendMessage('nonsense', null, 'x').then(() => null, error => error.response ?? error)
    assert.equal(answer.status, 400)
    assert.match(answer.data.message, /Validation failed. Details: 'chatId'/)
  })

  test('logs out', { timeout }, async () => {
    assert.deepEqual(await pos.instance.logout(), { isLogout: true })
    await waitFor(async () => (await box.state()) === 'notAuthorized', 'notAuthorized')
  })
})
