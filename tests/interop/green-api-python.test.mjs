// Green-API's Python client and its chat bot as they are published, against the box: only the host is changed. What the
// calls give is what the contract says, and what the customer sees is what was sent.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { BaileysClient } from './lib/baileys.mjs'
import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

const run = fileURLToPath(new URL('python/run', import.meta.url))
const timeout = 180_000

// The stand-in's media host makes its certificate at its start; Baileys has no setting for another.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'

const kindOf = message => Object.keys(message.message ?? {}).find(key => key !== 'messageContextInfo')

describe('whatsapp-api-client-python and posthornd', () => {
  let sim, box, customer, member, given

  before(async () => {
    sim = await Simulator.start({ runFor: 600 })
    box = await new Daemon(sim).start()
    await box.link(sim)
    customer = await BaileysClient.link(sim)
    member = await sim.addAccount({ name: 'Member', script: { read_after: 50 } })
    await customer.send(box.phone, 'Good morning')
    // Only who has written to the shop may be put into a group.
    await sim.send(member.phone, { to: box.phone, text: 'Good morning' })
    await waitFor(async () => (await box.call('lastIncomingMessages')).length === 2, 'they came')
  }, { timeout })
  after(async () => {
    await customer?.stop()
    await box?.dispose()
    await sim.stop()
  })

  test('every method of it gives what the contract says', { timeout }, async () => {
    const { stdout } = await promisify(execFile)(run, ['clients', 'surface.py', box.url, String(box.id), box.token, customer.phone, member.phone], { timeout: 150_000 })
    given = JSON.parse(stdout.trim().split('\n').at(-1))
    const id = /^[0-9A-F]{16,}$/
    for (const method of ['sendMessage', 'sendFileByUpload', 'sendFileByUrl', 'sendLocation', 'sendContact', 'sendLink', 'sendPoll', 'sendInteractiveButtons', 'sendInteractiveButtonsReply', 'editMessage']) {
      assert.match(given[method].idMessage, id, method)
    }
    assert.match(given.forwardMessages.messages[0], id)
    assert.match(given.uploadFile.urlFile, /^http:\/\/127\.0\.0\.1:\d+\/files\//)
    assert.match(given.downloadFile.downloadUrl, /^http:\/\/127\.0\.0\.1:\d+\/files\//)
    assert.deepEqual(given.setSettings, { saveSettings: true })
    assert.deepEqual(given.getStateInstance, { stateInstance: 'authorized' })
    assert.deepEqual(given.getStatusInstance, { statusInstance: 'online' })
    assert.equal(given.getWaSettings.phone, box.phone)
    assert.equal(given.getStateInstanceHistory[0].stateInstance, 'authorized')
    assert.equal(given.qr.type, 'alreadyLogged')
    assert.equal(given.setProfilePicture.setProfilePicture, true)
    assert.equal(given.checkWhatsapp.existsWhatsapp, true)
    assert.equal(typeof given.getAvatar.urlAvatar, 'string')
    assert.ok(Array.isArray(given.getContacts))
    assert.equal(given.getContactInfo.chatId, `${customer.phone}@c.us`)
    assert.ok(Array.isArray(given.getChats))
    assert.equal(given.readChat.setRead, true)
    assert.deepEqual([given.addContact.addContact, given.editContact.editContact, given.deleteContact.deleteContact], [true, true, true])
    assert.equal(given.createGroup.created, true)
    assert.equal(given.getGroupData.subject, 'Bakers')
    for (const [method, member] of [['updateGroupName', 'updateGroupName'], ['updateGroupSettings', 'updateGroupSettings'], ['addGroupParticipant', 'addParticipant'], ['setGroupAdmin', 'setGroupAdmin'], ['removeAdmin', 'removeAdmin'], ['removeGroupParticipant', 'removeParticipant'], ['setGroupPicture', 'setGroupPicture'], ['leaveGroup', 'leaveGroup']]) {
      assert.equal(given[method][member], true, method)
    }
    assert.deepEqual([given.clearMessagesQueue.isCleared, given.clearWebhooksQueue.isCleared, given.deleteNotification.result], [true, true, true])
    assert.equal(typeof given.getMessagesCount.count, 'number')
    assert.match(given.updateApiToken.apiTokenInstance, /^[0-9a-f]{50}$/)
    assert.deepEqual([given.reboot, given.logout], [{ isReboot: true }, { isLogout: true }])
  })

  test('its journals say what was sent', () => {
    const history = new Map(given.getChatHistory.map(item => [item.idMessage, item]))
    const sent = history.get(given.sendMessage.idMessage)
    assert.equal(sent.textMessage, 'Order 118 is ready now')
    assert.equal(sent.isEdited, true)
    assert.equal(given.getMessage.textMessage, sent.textMessage)
    assert.equal(history.get(given.quoted.idMessage).isDeleted, true)
    assert.equal(history.get(given.sendFileByUpload.idMessage).caption, 'Your invoice')
    assert.equal(history.get(given.sendLocation.idMessage).location.nameLocation, 'Shop')
    assert.equal(history.get(given.sendPoll.idMessage).pollMessageData.name, 'Pick a day')
    assert.ok(given.lastIncomingMessages.some(item => item.type === 'incoming' && item.chatId === `${customer.phone}@c.us`))
    assert.ok(given.lastOutgoingMessages.every(item => item.type === 'outgoing'))
    assert.deepEqual([given.lastIncomingCalls, given.lastOutgoingCalls, given.getIncomingStatuses, given.getOutgoingStatuses], [[], [], [], []])
  })

  test('the customer has what was sent, in its order', { timeout }, async () => {
    const kinds = {
      sendMessage: /extendedTextMessage|conversation/, sendFileByUpload: /document/, sendFileByUrl: /document/,
      sendLocation: /locationMessage/, sendContact: /contactMessage/, sendLink: /extendedTextMessage|conversation/, sendPoll: /pollCreation/
    }
    const at = []
    for (const [method, kind] of Object.entries(kinds)) {
      const message = await waitFor(() => customer.messages.find(m => m.key.id === given[method].idMessage && m.message), `${method} at the customer`)
      assert.match(kindOf(message), kind, method)
      at.push(customer.messages.indexOf(message))
    }
    assert.deepEqual(at, [...at].sort((a, b) => a - b))
    await sim.received(member.phone, m => m.id === given.forwardMessages.messages[0])
  })
})

describe('a chat bot with whatsapp-chatbot-python', () => {
  test('a dialogue of twenty turns, unchanged', { timeout }, async () => {
    const sim = await Simulator.start({ runFor: 300 })
    const box = await new Daemon(sim).start()
    await box.link(sim)
    const customer = await BaileysClient.link(sim)
    await box.call('setSettings', { incomingWebhook: 'no', outgoingMessageWebhook: 'no', outgoingAPIMessageWebhook: 'no' })
    const bot = spawn(run, ['clients', 'chatbot.py', box.url, String(box.id), box.token], { stdio: ['ignore', 'pipe', 'pipe'] })
    let log = ''
    bot.stderr.on('data', piece => { log += piece })
    try {
      const [line] = await once(createInterface({ input: bot.stdout }), 'line')
      assert.equal(line, 'ready')
      const cakes = ['cherry', 'plum', 'poppy', 'apple', 'nut', 'curd', 'pear']
      let heard = 0
      const say = async (text, answer) => {
        await customer.send(box.phone, text)
        heard++
        await waitFor(() => customer.messages.filter(m => !m.key.fromMe && BaileysClient.textOf(m)).length >= heard, `answer ${heard}: ${answer}\n${log.slice(-2000)}`, 15_000)
        const answers = customer.messages.filter(m => !m.key.fromMe && BaileysClient.textOf(m)).map(BaileysClient.textOf)
        assert.equal(answers.length, heard)
        assert.equal(answers.at(-1), answer)
      }
      for (const [number, cake] of cakes.entries()) {
        await say('order', 'Which cake?')
        await say(cake, 'How many pieces?')
        if (number === 6) break
        await say(String(number + 2), `${number + 2} of ${cake}, thank you`)
      }
      assert.equal(heard, 20)
    } finally {
      bot.kill('SIGKILL')
      await customer.stop()
      await box.dispose()
      await sim.stop()
    }
  })
})
