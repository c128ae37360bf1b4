// Green-API's second JavaScript client. Its host is built in: as the contract's section 24 has it, the axios instance's
// baseURL is set after the constructor. Everything else is as it is published.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'

import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

const { GreenApiClient } = createRequire(import.meta.url)('@green-api/whatsapp-api-client-js-v2')
const timeout = 90_000
const jpeg = new Blob([Buffer.from('/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/yQALCAABAAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k=', 'base64')], { type: 'image/jpeg' })
const pdf = new Blob(['%PDF-1.7\n' + 'x'.repeat(3000)], { type: 'application/pdf' })

describe("Green-API's client js-v2 and posthornd", () => {
  let sim, box, pos, customer, member, chatId

  before(async () => {
    sim = await Simulator.start({ runFor: 300 })
    box = await new Daemon(sim).start()
    await box.link(sim)
    customer = await sim.addAccount({ name: 'Customer', script: { read_after: 50 } })
    member = await sim.addAccount({ name: 'Member', script: { read_after: 50 } })
    chatId = `${customer.phone}@c.us`
    pos = new GreenApiClient({ idInstance: box.id, apiTokenInstance: box.token })
    pos.client.defaults.baseURL = `${box.url}/waInstance${box.id}`
    await sim.send(customer.phone, { to: box.phone, text: 'Good morning' })
    // Only who has written to the shop may be put into a group.
    await sim.send(member.phone, { to: box.phone, text: 'Good morning' })
    await waitFor(async () => (await box.call('lastIncomingMessages')).length === 2, 'they came')
  }, { timeout })
  after(async () => {
    await box?.dispose()
    await sim.stop()
  })

  const idMessage = /^[0-9A-F]{16,}$/
  const sent = async answer => {
    assert.match(answer.idMessage, idMessage)
    await sim.received(customer.phone, m => m.id === answer.idMessage)
    return answer.idMessage
  }

  test('account', { timeout }, async () => {
    assert.deepEqual(await pos.setSettings({ outgoingAPIMessageWebhook: 'yes' }), { saveSettings: true })
    assert.equal((await pos.getSettings()).outgoingAPIMessageWebhook, 'yes')
    assert.deepEqual(await pos.getStateInstance(), { stateInstance: 'authorized' })
    assert.equal((await pos.getQR()).type, 'alreadyLogged')
    assert.equal((await pos.getWaSettings()).phone, box.phone)
    assert.equal((await pos.setProfilePicture(jpeg)).setProfilePicture, true)
    await assert.rejects(pos.getAuthorizationCode(Number(customer.phone)), /400|already authorized/)
  })

  test('sending', { timeout }, async () => {
    const first = await sent(await pos.sendMessage({ chatId, message: 'Order 118 is ready' }))
    await sent(await pos.sendMessage({ chatId, message: 'On the counter', quotedMessageId: first }))
    const upload = await pos.sendFileByUpload({ chatId, file: { data: pdf, fileName: 'invoice.pdf' }, caption: 'Your invoice' })
    await sent(upload)
    assert.match(upload.urlFile, /\/files\//)
    const { urlFile } = await pos.uploadFile(pdf, 'menu.pdf')
    await sent(await pos.sendFileByUrl({ chatId, file: { url: urlFile, fileName: 'menu.pdf' } }))
    await sent(await pos.sendLocation({ chatId, latitude: 52.5, longitude: 13.4, nameLocation: 'Shop' }))
    await sent(await pos.sendContact({ chatId, contact: { phoneContact: 4915550009999, firstName: 'Vera' } }))
    await sent(await pos.sendPoll({ chatId, message: 'Pick a day', options: [{ optionName: 'Mon' }, { optionName: 'Tue' }] }))
    const { messages } = await pos.forwardMessages({ chatId: `${member.phone}@c.us`, chatIdFrom: chatId, messages: [first] })
    await sim.received(member.phone, m => m.id === messages[0])
    assert.match((await pos.downloadFile({ chatId, idMessage: upload.idMessage })).downloadUrl, /\/files\//)
    assert.match((await pos.editMessage({ chatId, idMessage: first, message: 'Order 118 is ready now' })).idMessage, idMessage)
    const gone = await sent(await pos.sendMessage({ chatId, message: 'A mistake' }))
    await pos.deleteMessage({ chatId, idMessage: gone })
    await waitFor(async () => (await pos.getMessage({ chatId, idMessage: gone })).isDeleted, 'the deletion')
    await waitFor(async () => (await pos.showMessagesQueue()).length === 0, 'the queue is empty')
    assert.deepEqual(await pos.clearMessagesQueue(), { isCleared: true })
  })

  test('journals', { timeout }, async () => {
    const history = await pos.getChatHistory({ chatId, count: 50 })
    assert.ok(history.some(item => item.textMessage === 'Order 118 is ready now' && item.isEdited))
    assert.ok(history.some(item => item.type === 'incoming' && item.textMessage === 'Good morning'))
    assert.equal((await pos.getMessage({ chatId, idMessage: history[0].idMessage })).idMessage, history[0].idMessage)
    assert.equal((await pos.lastIncomingMessages(60)).length, 2)
    assert.ok((await pos.lastOutgoingMessages()).length >= 8)
    assert.deepEqual(await pos.getIncomingStatuses({ minutes: 60 }), [])
    assert.deepEqual(await pos.getOutgoingStatuses(), [])
  })

  test('service and contacts', { timeout }, async () => {
    assert.equal((await pos.checkWhatsapp({ phoneNumber: Number(customer.phone) })).existsWhatsapp, true)
    assert.equal(typeof (await pos.getAvatar({ chatId })).urlAvatar, 'string')
    assert.ok(Array.isArray(await pos.getContacts()))
    assert.equal((await pos.getContactInfo({ chatId })).chatId, chatId)
    await pos.archiveChat({ chatId })
    await pos.unarchiveChat({ chatId })
    assert.deepEqual(await pos.readChat({ chatId }), { setRead: true })
    assert.equal((await pos.addContact({ chatId, firstName: 'Ida' })).addContact, true)
    assert.equal((await pos.editContact({ chatId, firstName: 'Ida', lastName: 'K.' })).editContact, true)
    assert.equal((await pos.deleteContact({ chatId })).deleteContact, true)
  })

  test('groups', { timeout }, async () => {
    const made = await pos.createGroup({ groupName: 'Bakers', chatIds: [chatId] })
    assert.equal(made.created, true)
    const group = { groupId: made.chatId }
    const who = { ...group, participantChatId: `${member.phone}@c.us` }
    assert.equal((await pos.getGroupData(group)).subject, 'Bakers')
    assert.equal((await pos.updateGroupName({ ...group, groupName: 'All bakers' })).updateGroupName, true)
    assert.equal((await pos.addGroupParticipant(who)).addParticipant, true)
    assert.equal((await pos.setGroupAdmin(who)).setGroupAdmin, true)
    assert.equal((await pos.removeAdmin(who)).removeAdmin, true)
    assert.equal((await pos.removeGroupParticipant(who)).removeParticipant, true)
    assert.equal((await pos.setGroupPicture({ ...group, file: jpeg })).setGroupPicture, true)
    assert.equal((await pos.leaveGroup(group)).leaveGroup, true)
  })

  test('receiving, and the end', { timeout }, async () => {
    const first = await pos.receiveNotification(5)
    assert.ok(first.receiptId > 0)
    assert.deepEqual(await pos.deleteNotification(first.receiptId), { result: true })
    assert.deepEqual(await pos.reboot(), { isReboot: true })
    await box.authorized()
    assert.deepEqual(await pos.logout(), { isLogout: true })
  })
})
