// Software that was written for the official Cloud API, against the box: two npm clients and one of PyPI, unchanged but
// for the base URL, with Baileys as the customer and a receiver for the webhooks.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { downloadMediaMessage } from '@whiskeysockets/baileys'
import * as cloudapi from '@whatsapp-cloudapi/client'

import { BaileysClient } from './lib/baileys.mjs'
import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

// Baileys has no setting for another certificate than its own of the media host.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'

const { WABAClient } = createRequire(import.meta.url)('whatsapp-business')
const timeout = 120_000
const png = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), randomBytes(4000)])

/** Takes webhooks as the till's software would, and checks each signature over the bytes as they came. */
class Receiver {
  constructor() {
    this.changes = []
    this.wrong = 0
    this.refuse = 0
    this.server = createServer((request, response) => {
      const url = new URL(request.url, 'http://x')
      if (request.method === 'GET') {
        const good = url.searchParams.get('hub.verify_token') === 'till-1'
        response.statusCode = good ? 200 : 403
        return response.end(good ? url.searchParams.get('hub.challenge') : 'no')
      }
      const pieces = []
      request.on('data', piece => pieces.push(piece))
      request.on('end', () => {
        const body = Buffer.concat(pieces)
        const wanted = `sha256=${createHmac('sha256', this.secret).update(body).digest('hex')}`
        if (request.headers['x-hub-signature-256'] !== wanted) this.wrong++
        if (/[^\x00-\x7f]/.test(body.toString('latin1'))) this.wrong++
        if (this.refuse-- > 0) { response.statusCode = 500; return response.end() }
        this.bodies ??= []
        this.bodies.push(body)
        for (const entry of JSON.parse(body).entry) this.changes.push(...entry.changes)
        response.end()
      })
    })
  }

  async start() {
    await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${this.server.address().port}/hook`
    return this
  }

  get messages() { return this.changes.flatMap(change => change.value.messages ?? []) }
  get statuses() { return this.changes.flatMap(change => change.value.statuses ?? []) }
  message(type, within = 20_000) {
    return waitFor(() => this.messages.find(one => one.type === type), `a webhook of type ${type}`, within)
  }
  status(id, status, within = 20_000) {
    return waitFor(() => this.statuses.find(one => one.id === id && one.status === status), `${status} of ${id}`, within)
  }
}

describe('clients of the official Cloud API', () => {
  let sim, box, customer, hook, ids, folder, base, waba

  const graph = async (method, path, body, token = box.token) => {
    const answer = await fetch(`${box.url}/v26.0/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body ? JSON.stringify(body) : undefined
    })
    return { status: answer.status, body: await answer.json() }
  }
  const common = () => ({ accessToken: box.token, from: ids.phoneNumberId, to: `+${customer.phone}`, baseUrl: box.url })
  /** What Baileys got under that wamid. */
  const arrived = async answer => {
    const wamid = answer.messages[0].id
    const text = Buffer.from(wamid.slice(6), 'base64').toString('latin1')
    const id = text.slice(text.indexOf('\x11\x18') + 3, -1)
    return waitFor(() => customer.messages.find(one => one.key.id === id && one.message), `message ${id}`, 20_000)
  }
  const textOf = async answer => BaileysClient.textOf(await arrived(answer))

  before(async () => {
    sim = await Simulator.start({ runFor: 600 })
    box = await new Daemon(sim).start()
    await box.link(sim)
    customer = await BaileysClient.link(sim)
    hook = await new Receiver().start()
    folder = mkdtempSync(join(tmpdir(), 'posthorn-cloud-'))
    ids = await box.call('getCloudSettings', undefined, { token: box.care })
    hook.secret = ids.appSecret
    base = ids.phoneNumberId
    waba = new WABAClient({ apiToken: box.token, phoneId: ids.phoneNumberId, accountId: ids.wabaId })
    waba.restClient.fetch.defaults.baseURL = `${box.url}/v17.0`
  }, { timeout })

  after(async () => {
    await customer?.stop()
    hook?.server.close()
    hook?.server.closeAllConnections?.()
    await box?.dispose()
    await sim?.stop()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  test('a callback is kept only after it has answered the challenge', { timeout }, async () => {
    const wrong = await graph('POST', `${ids.wabaId}/subscribed_apps`, { override_callback_uri: hook.url, verify_token: 'other' })
    assert.equal(wrong.status, 400)
    assert.equal(wrong.body.error.code, 100)
    const right = await graph('POST', `${ids.wabaId}/subscribed_apps`, { override_callback_uri: hook.url, verify_token: 'till-1' })
    assert.deepEqual(right.body, { success: true })
    const shown = await graph('GET', `${ids.wabaId}/subscribed_apps`)
    assert.equal(shown.body.data[0].override_callback_uri, hook.url)
  })

  test('@whatsapp-cloudapi/client: text, buttons, list, link, upload, template, errors', { timeout }, async () => {
    const text = await cloudapi.sendTextMessage({ ...common(), text: 'Your cake is ready 😀', bizOpaqueCallbackData: 'order/118 ä' })
    assert.equal(text.contacts[0].wa_id, customer.phone)
    assert.equal(await textOf(text), 'Your cake is ready 😀')
    const read = await hook.status(text.messages[0].id, 'delivered')
    assert.equal(read.recipient_id, customer.phone)
    assert.equal(read.biz_opaque_callback_data, 'order/118 ä')
    const buttons = await cloudapi.sendButtonsMessage({ ...common(), bodyText: 'Come today?', buttons: [{ id: 'y', title: 'Yes' }, { id: 'n', title: 'No' }] })
    assert.equal(await textOf(buttons), 'Come today?\n\n1. Yes\n2. No')
    const list = await cloudapi.sendListMessage({
      ...common(), bodyText: 'Pick', buttonText: 'Menu', headerText: 'Cakes', footerText: 'Café',
      sections: [{ title: 'All', rows: [{ id: '1', title: 'Apple' }, { id: '2', title: 'Plum', description: 'with cream' }] }]
    })
    assert.equal(await textOf(list), '*Cakes*\n\nPick\n\n1. Apple\n2. Plum - with cream\n\n_Café_')
    const link = await cloudapi.sendCTAURLMessage({ ...common(), bodyText: 'Pay here', buttonText: 'Pay', displayText: 'Pay', url: 'https://shop.example/p/1' })
    assert.equal(await textOf(link), 'Pay here\n\nPay: https://shop.example/p/1')
    const { id } = await cloudapi.uploadMedia({ ...common(), file: new File([png], 'cake.png', { type: 'image/png' }) })
    assert.match(id, /^\d{16}$/)
    const image = await arrived(await cloudapi.sendImageMessage({ ...common(), mediaId: id, caption: 'Like this' }))
    assert.equal(image.message.imageMessage.caption, 'Like this')
    assert.ok((await downloadMediaMessage(image, 'buffer', {})).equals(png))
    await assert.rejects(cloudapi.sendTemplateMessage({ ...common(), templateName: 'nothing', languageCode: 'en_US' }), /132001/)
    await assert.rejects(cloudapi.sendTextMessage({ ...common(), accessToken: 'wrong', text: 'a' }), /190/)
  })

  test('whatsapp-business: every kind, media round trip, numbers, read mark, errors', { timeout }, async () => {
    const to = customer.phone
    const file = join(folder, 'invoice 118.pdf')
    const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(30_000)])
    writeFileSync(file, pdf)
    const upload = await waba.uploadMedia({ file, type: 'application/pdf' })
    const shown = await waba.getMedia(upload.id)
    assert.equal(shown.mime_type, 'application/pdf')
    assert.equal(shown.file_size, String(pdf.length))
    const out = join(folder, 'back.pdf')
    const stream = await waba.downloadMedia(shown.url, out)
    if (!stream.writableFinished) await new Promise(resolve => stream.once('finish', resolve))
    assert.ok(readFileSync(out).equals(pdf))
    const doc = await arrived(await waba.sendMessage({ to, type: 'document', document: { id: upload.id, filename: 'invoice.pdf', caption: 'Thanks' } }))
    const part = doc.message.documentWithCaptionMessage?.message.documentMessage ?? doc.message.documentMessage
    assert.equal(part.fileName, 'invoice.pdf')
    const place = await arrived(await waba.sendMessage({ to, type: 'location', location: { latitude: 52.5, longitude: 13.25, name: 'Café', address: 'Street 1' } }))
    assert.equal(place.message.locationMessage.name, 'Café')
    const card = await arrived(await waba.sendMessage({ to, type: 'contacts', contacts: [{ name: { formatted_name: 'Ida B', first_name: 'Ida' }, phones: [{ phone: '+49 1555 0007778', type: 'WORK' }] }] }))
    assert.match(card.message.contactMessage.vcard, /waid=4915550007778/)
    assert.deepEqual(await waba.deleteMedia(upload.id), { success: true })
    await assert.rejects(waba.getMedia(upload.id), error => error.code === 100 && error.error_subcode === 33)
    const numbers = await waba.getBusinessPhoneNumbers()
    assert.equal(numbers.data[0].id, ids.phoneNumberId)
    assert.equal((await waba.getBusinessProfile()).data[0].vertical, 'UNDEFINED')
    await assert.rejects(waba.sendMessage({ to, type: 'text', text: { body: 'x'.repeat(5000) } }), error => error.code === 131009)
  })

  test('what the customer says comes as webhooks; it is marked read, reacted to and answered', { timeout }, async () => {
    await customer.send(box.phone, 'Is it ready? äöü/😀')
    const text = await hook.message('text')
    assert.equal(text.text.body, 'Is it ready? äöü/😀')
    assert.equal(text.from, customer.phone)
    assert.deepEqual(await waba.markMessageAsRead(text.id), { success: true })
    const reaction = await arrived(await waba.sendMessage({ to: customer.phone, type: 'reaction', reaction: { message_id: text.id, emoji: '👍' } }))
    assert.equal(reaction.message.reactionMessage.text, '👍')
    const answer = await arrived(await waba.sendMessage({ to: customer.phone, type: 'text', text: { body: 'Yes!' }, context: { message_id: text.id } }))
    const { quotedMessage } = answer.message.extendedTextMessage.contextInfo
    assert.equal(quotedMessage.conversation ?? quotedMessage.extendedTextMessage.text, 'Is it ready? äöü/😀')
    await customer.socket.sendMessage(`${box.phone}@s.whatsapp.net`, { image: png, caption: 'Like this one', mimetype: 'image/png', jpegThumbnail: '' })
    const image = await hook.message('image')
    assert.equal(image.image.caption, 'Like this one')
    const media = (await graph('GET', image.image.id)).body
    assert.equal(Buffer.from(image.image.sha256, 'base64').toString('hex'), media.sha256)
    const bytes = await fetch(media.url, { headers: { authorization: `Bearer ${box.token}` } })
    assert.equal(bytes.headers.get('content-type'), 'image/png')
    assert.ok(Buffer.from(await bytes.arrayBuffer()).equals(png))
    assert.equal((await fetch(media.url)).status, 401)
  })

  test('a link that cannot be fetched is taken, and failed by a webhook', { timeout }, async () => {
    const taken = await graph('POST', `${base}/messages`, { messaging_product: 'whatsapp', to: customer.phone, type: 'image', image: { link: 'http://127.0.0.1:9/a.png' } })
    assert.equal(taken.status, 200)
    const failed = await hook.status(taken.body.messages[0].id, 'failed')
    assert.equal(failed.errors[0].code, 131053)
  })

  test('templates are made, sent by both dialects and counted', { timeout }, async () => {
    const made = await graph('POST', `${ids.wabaId}/message_templates`, {
      name: 'receipt', language: 'en_US', category: 'UTILITY',
      components: [{ type: 'BODY', text: 'Thank you {{1}}, total {{2}}.', example: { body_text: [['Ida', '9 EUR']] } }]
    })
    assert.equal(made.body.status, 'APPROVED')
    const sent = await cloudapi.sendTemplateMessage({
      ...common(), templateName: 'receipt', languageCode: 'en_US',
      components: [{ type: 'body', parameters: [{ type: 'text', text: 'Ida' }, { type: 'text', text: '9 EUR' }] }]
    })
    assert.equal(sent.messages[0].message_status, 'accepted')
    assert.equal(await textOf(sent), 'Thank you Ida, total 9 EUR.')
    const again = await box.call('sendTemplate', { chatId: `${customer.phone}@c.us`, templateId: made.body.id, params: ['Ben', '7 EUR'] })
    await customer.received('Thank you Ben, total 7 EUR.')
    assert.match(again.idMessage, /^3EB0/)
    assert.equal((await box.call('getTemplates')).templates[0].elementName, 'receipt')
    assert.equal((await box.call('getCloudStatus')).templates[0].sent, 2)
    await customer.send(box.phone, 'Thanks!')
    await waitFor(async () => (await box.call('getCloudStatus')).templates[0].replied === 1, 'the reply is counted')
  })

  test('one message posted in both dialects is one job', { timeout }, async () => {
    const posted = await box.call('sendMessage', { chatId: `${customer.phone}@c.us`, message: 'The same words' })
    const again = await graph('POST', `${base}/messages`, { messaging_product: 'whatsapp', to: customer.phone, text: { body: 'The same words' } })
    assert.ok(Buffer.from(again.body.messages[0].id.slice(6), 'base64').toString('latin1').includes(posted.idMessage))
  })

  test('webhooks go on where they were after the power was cut', { timeout }, async () => {
    hook.refuse = 1000
    await customer.send(box.phone, 'said while the till was off')
    await waitFor(() => hook.refuse < 1000, 'a first try')
    await box.kill()
    hook.refuse = 0
    await box.start()
    await waitFor(() => hook.messages.some(one => one.text?.body === 'said while the till was off'), 'the webhook comes after the restart', 30_000)
    assert.equal(hook.wrong, 0, 'every signature is right over the bytes as they came')
  })

  test('kapso-whatsapp-cloud-api and pywa (PyPI)', { timeout }, async () => {
    const python = join(import.meta.dirname, '../../build/cloud-clients/bin/python3')
    writeFileSync(join(folder, 'hooks.json'), JSON.stringify({ secret: hook.secret, bodies: hook.bodies.map(body => body.toString('base64')), signatures: hook.bodies.map(body => createHmac('sha256', hook.secret).update(body).digest('hex')) }))
    const child = spawn(python, [join(import.meta.dirname, 'cloud-clients/run.py'), box.url, box.token, ids.phoneNumberId, ids.wabaId, customer.phone, join(folder, 'hooks.json')], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stdout.on('data', piece => { said += piece })
    child.stderr.on('data', piece => { said += piece })
    const code = await new Promise(resolve => child.once('exit', resolve))
    assert.equal(code, 0, said)
    assert.match(said, /all \d+ probes passed/)
    await customer.received('hello from kapso')
    await customer.received('hello from pywa')
  })
})
