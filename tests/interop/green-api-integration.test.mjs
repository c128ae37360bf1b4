// Green-API's base for connecting other systems (CRM, help desks): its client, its guard and its adapter, as published.
// The host is built in: each client's axios instance gets another baseURL after the constructor.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'

import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

const { BaseAdapter, BaseGreenApiAuthGuard, GreenApiClient, GreenApiLogger, MessageTransformer, StorageProvider } =
  createRequire(import.meta.url)('@green-api/greenapi-integration')
const timeout = 90_000
const secret = 'a-webhook-secret'
const picture = new Blob([Buffer.from('/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/yQALCAABAAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k=', 'base64')], { type: 'image/jpeg' })
const pdf = new Blob(['%PDF-1.7\n' + 'x'.repeat(3000)], { type: 'application/pdf' })

// A help desk that keeps its tickets in memory.
class Desk extends StorageProvider {
  instances = new Map()
  async createInstance(instance) { this.instances.set(instance.idInstance, instance); return instance }
  async getInstance(id) { return this.instances.get(id) ?? null }
  async removeInstance(id) { return this.instances.delete(id) }
}

class Words extends MessageTransformer {
  toPlatformMessage(webhook) {
    return { from: webhook.senderData.chatId, text: webhook.messageData.textMessageData?.textMessage, kind: webhook.messageData.typeMessage }
  }
  toGreenApiMessage(ticket) { return { type: ticket.type, ...ticket } }
}

class Adapter extends BaseAdapter {
  tickets = []
  states = []
  constructor(storage, url) {
    super(new Words(), storage)
    this.url = url
  }
  createGreenApiClient(instance) {
    const client = super.createGreenApiClient(instance)
    client.client.defaults.baseURL = `${this.url}/waInstance${instance.idInstance}`
    return client
  }
  async createPlatformClient() { return {} }
  async sendToPlatform(ticket) { this.tickets.push(ticket) }
  async handleStateInstanceWebhook(webhook) { this.states.push(webhook.stateInstance) }
}

describe("Green-API's integration platform and posthornd", () => {
  let sim, box, pos, customer, member, chatId, server, adapter, guarded = 0
  const refused = []

  before(async () => {
    for (const quiet of ['log', 'info', 'warn', 'debug']) GreenApiLogger.prototype[quiet] = () => {}
    sim = await Simulator.start({ runFor: 300 })
    box = await new Daemon(sim).start()
    await box.link(sim)
    // Its checkWhatsapp takes numbers of 11 or 12 digits only.
    customer = await sim.addAccount({ name: 'Customer', phone: '447700900118', script: { read_after: 50 } })
    member = await sim.addAccount({ name: 'Member', script: { read_after: 50 } })
    chatId = `${customer.phone}@c.us`
    const storage = new Desk()
    adapter = new Adapter(storage, box.url)
    pos = adapter.createGreenApiClient({ idInstance: box.id, apiTokenInstance: box.token })
    class Guard extends BaseGreenApiAuthGuard {}
    const guard = new Guard(storage)
    server = createServer((request, response) => {
      let text = ''
      request.on('data', piece => { text += piece })
      request.on('end', async () => {
        try {
          const body = JSON.parse(text)
          await guard.validateRequest({ headers: request.headers, body })
          guarded += 1
          await adapter.handleGreenApiWebhook(body, ['incomingMessageReceived', 'stateInstanceChanged'])
          response.end('{}')
        } catch (error) {
          refused.push(String(error))
          response.writeHead(500).end()
        }
      })
    })
    await new Promise(done => server.listen(0, '127.0.0.1', done))
  }, { timeout })
  after(async () => {
    await box?.dispose()
    await sim.stop()
    server?.closeAllConnections()
    server?.close()
  })

  const sent = async answer => {
    assert.match(answer.idMessage, /^[0-9A-F]{16,}$/)
    await sim.received(customer.phone, m => m.id === answer.idMessage)
    return answer.idMessage
  }

  test('the platform takes the instance on and is told what comes in', { timeout }, async () => {
    await adapter.createInstance({
      idInstance: Number(box.id), apiTokenInstance: box.token,
      settings: { webhookUrl: `http://127.0.0.1:${server.address().port}/`, webhookUrlToken: secret, incomingWebhook: 'yes', stateWebhook: 'yes' },
    })
    assert.equal((await pos.getSettings()).webhookUrlToken, secret)
    await sim.send(customer.phone, { to: box.phone, text: 'Is my bike ready?' })
    await sim.send(member.phone, { to: box.phone, text: 'Good morning' })
    await waitFor(() => adapter.tickets.length >= 2, 'two tickets')
    assert.ok(adapter.tickets.some(t => t.from === chatId && t.text === 'Is my bike ready?' && t.kind === 'textMessage'))
    assert.deepEqual(refused, [])
    assert.ok(guarded >= 2)
  })

  test('the desk answers in every form the platform knows', { timeout }, async () => {
    const id = Number(box.id)
    const first = await sent(await adapter.handlePlatformWebhook({ type: 'text', chatId, message: 'Tomorrow at nine' }, id))
    await sent(await adapter.handlePlatformWebhook({ type: 'text', chatId, message: 'Or at ten', quotedMessageId: first }, id))
    await sent(await adapter.handlePlatformWebhook({ type: 'upload-file', chatId, file: { data: pdf, fileName: 'invoice.pdf' }, caption: 'Invoice' }, id))
    const { urlFile } = await pos.uploadFile(pdf, 'menu.pdf')
    await sent(await adapter.handlePlatformWebhook({ type: 'url-file', chatId, file: { url: urlFile, fileName: 'menu.pdf' } }, id))
    await sent(await adapter.handlePlatformWebhook({ type: 'poll', chatId, message: 'When?', options: [{ optionName: '9' }, { optionName: '10' }], multipleAnswers: false }, id))
    await sent(await adapter.handlePlatformWebhook({ type: 'contact', chatId, contact: { phoneContact: 4915550009999, firstName: 'Vera' } }, id))
    await sent(await adapter.handlePlatformWebhook({ type: 'location', chatId, latitude: 52.5, longitude: 13.4, nameLocation: 'Shop', address: 'Main St' }, id))
    const { messages } = await adapter.handlePlatformWebhook({ type: 'forward', chatId: `${member.phone}@c.us`, chatIdFrom: chatId, messages: [first] }, id)
    await sim.received(member.phone, m => m.id === messages[0])
    const buttons = { chatId, header: 'Order 118', body: 'Ready.', footer: 'Café', buttons: [{ type: 'reply', buttonId: '1', buttonText: 'Thanks' }] }
    await sent(await pos.sendInteractiveButtonsReply(buttons))
    await sent(await pos.sendInteractiveButtons({ ...buttons, buttons: [{ type: 'url', buttonId: '1', buttonText: 'Map', url: 'https://example.com' }] }))
    await waitFor(async () => (await pos.showMessagesQueue()).length === 0, 'the queue is empty')
    assert.deepEqual(await pos.clearMessagesQueue(), { isCleared: true })
  })

  test('account, chats, contacts', { timeout }, async () => {
    assert.deepEqual(await pos.getStateInstance(), { stateInstance: 'authorized' })
    assert.equal((await pos.getQR()).type, 'alreadyLogged')
    assert.equal((await pos.getWaSettings()).phone, box.phone)
    assert.equal((await pos.setProfilePicture(picture)).setProfilePicture, true)
    await assert.rejects(pos.getAuthorizationCode(Number(customer.phone)), /authorized/)
    assert.equal((await pos.checkWhatsapp({ phoneNumber: Number(customer.phone) })).existsWhatsapp, true)
    assert.equal(typeof (await pos.getAvatar({ chatId })).urlAvatar, 'string')
    assert.ok((await pos.getContacts()).some(contact => contact.id === chatId))
    assert.equal((await pos.getContactInfo({ chatId })).chatId, chatId)
    await pos.archiveChat({ chatId })
    await pos.unarchiveChat({ chatId })
    assert.deepEqual(await pos.readChat({ chatId }), { setRead: true })
    const timer = await pos.setDisappearingChat({ chatId, ephemeralExpiration: 86400 })
    assert.equal(timer.disappearingMessagesInChat, true)
    assert.equal(timer.ephemeralExpiration, 86400)
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
    assert.equal((await pos.setGroupPicture({ ...group, file: picture })).setGroupPicture, true)
    assert.equal((await pos.leaveGroup(group)).leaveGroup, true)
  })

  test('journals and statuses', { timeout }, async () => {
    const history = await pos.getChatHistory({ chatId, count: 50 })
    assert.ok(history.some(item => item.type === 'incoming' && item.textMessage === 'Is my bike ready?'))
    assert.equal((await pos.getMessage({ chatId, idMessage: history[0].idMessage })).idMessage, history[0].idMessage)
    assert.equal((await pos.lastIncomingMessages(60)).length, 2)
    assert.ok((await pos.lastOutgoingMessages(60)).length >= 8)
    const { idMessage } = await pos.sendTextStatus({ message: 'Open till six', backgroundColor: '#228B22', font: 'SERIF', participants: [chatId] })
    await waitFor(async () => (await pos.getOutgoingStatuses(60)).some(status => status.idMessage === idMessage), 'the status is out')
    assert.ok(Array.isArray(await pos.getStatusStatistic(idMessage)))
    assert.deepEqual(await pos.getIncomingStatuses(60), [])
    const { urlFile } = await pos.uploadFile(picture, 'shop.jpg')
    assert.match((await pos.sendMediaStatus({ urlFile, fileName: 'shop.jpg', caption: 'New', participants: [chatId] })).idMessage, /^[0-9A-F]{16,}$/)
  })

  test('the end is told to the platform', { timeout }, async () => {
    assert.deepEqual(await pos.reboot(), { isReboot: true })
    await box.authorized()
    assert.deepEqual(await pos.logout(), { isLogout: true })
    await waitFor(() => adapter.states.at(-1) === 'notAuthorized', 'the state came')
    assert.deepEqual(refused, [])
  })
})
