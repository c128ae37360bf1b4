// Link previews and statuses, as Baileys sees what posthornd sends, and the other way round.
import assert from 'node:assert/strict'
import { createDecipheriv, createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'

import { downloadMediaMessage, getMediaKeys } from '@whiskeysockets/baileys'

import { BaileysClient } from './lib/baileys.mjs'
import { Daemon, sleep } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { spoken } from './lib/sounds.mjs'
import { waitFor } from './lib/wait.mjs'

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0' // the media host's certificate is made at its start

// Baileys leaves timers of half a minute behind; whoever failed has been told by then.
after(() => setTimeout(() => process.exit(), 1000).unref())

const timeout = 120_000
// 8 by 8 pixels of one colour.
const picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mM4YSOCFTEMLQkAh11GAShFWoUAAAAASUVORK5CYII=', 'base64')

/** A shop's web server on this machine; counts what it is asked. */
function webServer() {
  const asked = []
  const server = createServer((request, response) => {
    asked.push(request.url)
    if (request.url === '/m.png') return response.setHeader('content-type', 'image/png').end(picture)
    if (request.url === '/hello.ogg') return response.setHeader('content-type', 'audio/ogg').end(spoken())
    if (request.url === '/moved') return response.writeHead(302, { location: '/menu' }).end()
    if (request.url !== '/menu') return response.writeHead(404).end()
    response.setHeader('content-type', 'text/html; charset=utf-8')
    // The rest never comes: what a page says of itself must be enough.
    response.write('<!doctype html><head><title>Shop</title><meta property="og:title" content="Today&#39;s menu"><meta property="og:description" content="12 dishes"><meta property="og:image" content="/m.png"></head><body>')
  })
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve({ server, asked, url: `http://127.0.0.1:${server.address().port}` })))
}

/** The bytes behind a link's large picture, opened with Baileys' keys. */
async function openPicture(origin, text) {
  const sealed = Buffer.from(await (await fetch(origin + text.thumbnailDirectPath)).arrayBuffer())
  assert.deepEqual(createHash('sha256').update(sealed).digest(), Buffer.from(text.thumbnailEncSha256))
  const { cipherKey, iv } = await getMediaKeys(text.mediaKey, 'thumbnail-link')
  const cipher = createDecipheriv('aes-256-cbc', cipherKey, iv)
  return Buffer.concat([cipher.update(sealed.subarray(0, -10)), cipher.final()])
}

describe('previews and statuses between posthornd and Baileys', () => {
  let sim, web, box, customer

  before(async () => {
    web = await webServer()
    sim = await Simulator.start({ runFor: 600 })
    box = new Daemon(sim)
    appendFileSync(box.config, '[files]\nprivate_urls = true\n')
    await box.start()
    await box.link(sim)
    customer = await BaileysClient.link(sim)
    await customer.send(box.phone, 'hello')
    await box.nextWhere('hello', b => b.typeWebhook === 'incomingMessageReceived')
  }, { timeout })
  after(async () => {
    await customer?.stop()
    const violations = (await sim.violations()).filter(v => v.device.startsWith(box.phone))
    await box?.dispose()
    await sim.stop()
    web.server.closeAllConnections()
    web.server.close()
    assert.deepEqual(violations, [])
  })

  /** Posts; the message as the customer has it. */
  const post = async (method, body) => {
    const { idMessage } = await box.call(method, body)
    return waitFor(() => customer.messages.find(m => m.key.id === idMessage && m.message), `${method} at the customer`, 30_000)
  }
  const say = body => post('sendMessage', { chatId: `${customer.phone}@c.us`, ...body })

  test('a page is shown, whatever it redirects from and however long it is', { timeout }, async () => {
    const text = (await say({ message: `Menu: ${web.url}/moved` })).message.extendedTextMessage
    assert.deepEqual([text.matchedText, text.title, text.description], [`${web.url}/moved`, "Today's menu", '12 dishes'])
    const thumbnail = Buffer.from(text.jpegThumbnail)
    assert.equal(thumbnail.readUInt16BE(), 0xffd8)
  })

  test('a large picture is what the page named', { timeout }, async () => {
    const { idMessage } = await box.form('sendFileByUpload', { chatId: `${customer.phone}@c.us` }, picture, 'a.png', 'image/png')
    const file = await waitFor(() => customer.messages.find(m => m.key.id === idMessage && m.message), 'a file', 30_000)
    const { origin } = new URL(file.message.imageMessage.url)
    const text = (await say({ message: `${web.url}/menu`, typePreview: 'large' })).message.extendedTextMessage
    assert.deepEqual([text.thumbnailWidth, text.thumbnailHeight], [8, 8])
    assert.ok((await openPicture(origin, text)).equals(picture))
  })

  test('the till says what is shown', { timeout }, async () => {
    const text = (await say({ message: 'Cakes', customPreview: { title: 'All cakes', description: 'by Ida', link: 'https://shop.example/c', urlFile: `${web.url}/m.png` } })).message.extendedTextMessage
    assert.deepEqual([text.text, text.matchedText, text.title, text.description], ['Cakes', 'https://shop.example/c', 'All cakes', 'by Ida'])
    assert.ok(text.jpegThumbnail.length > 100)
  })

  test('without a page the link goes alone', { timeout }, async () => {
    const gone = await say({ message: `${web.url}/gone` })
    assert.equal(BaileysClient.textOf(gone), `${web.url}/gone`)
    assert.ok(!gone.message.extendedTextMessage?.title)
    const asked = web.asked.length
    const off = await say({ message: `Off: ${web.url}/menu`, linkPreview: false })
    assert.ok(!off.message.extendedTextMessage?.title)
    assert.equal(web.asked.length, asked)
  })

  test('a voice status goes to whom it names and to nobody else', { timeout }, async () => {
    const other = await BaileysClient.link(sim, undefined, { name: 'Otto' })
    try {
      await other.send(box.phone, 'I write, too')
      await box.nextWhere('the other one', b => JSON.stringify(b.messageData ?? {}).includes('I write, too'))
      const status = await post('sendVoiceStatus', { urlFile: `${web.url}/hello.ogg`, fileName: 'hello.ogg', backgroundColor: '#112233', participants: [`${customer.phone}@c.us`] })
      assert.equal(status.key.remoteJid, 'status@broadcast')
      const { ptt, seconds, waveform, backgroundArgb, mimetype } = status.message.audioMessage
      assert.deepEqual([ptt, seconds, waveform.length, backgroundArgb, mimetype], [true, 3, 64, 0xff112233, 'audio/ogg; codecs=opus'])
      assert.ok((await downloadMediaMessage(status, 'buffer', {})).equals(spoken()), 'byte for byte')
      const { idMessage } = await box.call('sendMessage', { chatId: `${other.phone}@c.us`, message: 'after the status' })
      await waitFor(() => other.messages.find(m => m.key.id === idMessage && m.message), 'a message to the other one', 30_000)
      assert.equal(other.messages.find(m => m.key.id === status.key.id), undefined)
    } finally {
      await other.stop()
    }
  })

  test('private addresses are not asked unless the shop allows it', { timeout }, async () => {
    await box.stop()
    const config = readFileSync(box.config, 'utf8')
    writeFileSync(box.config, config.replace('private_urls = true', 'private_urls = false'))
    await box.start()
    const asked = web.asked.length
    const sent = await say({ message: `${web.url}/menu?inside` })
    assert.ok(!sent.message.extendedTextMessage?.title)
    assert.equal(web.asked.length, asked)
  })

  test('a status, and who has seen it', { timeout }, async () => {
    const seen = await post('sendTextStatus', { message: 'Fresh bread', backgroundColor: '#112233', font: 'SERIF', participants: [`${customer.phone}@c.us`] })
    assert.equal(seen.key.remoteJid, 'status@broadcast')
    const text = seen.message.extendedTextMessage
    assert.deepEqual([text.text, text.backgroundArgb, text.font], ['Fresh bread', 0xff112233, 1])
    await customer.socket.readMessages([seen.key])
    const statistic = await waitFor(async () => {
      const rows = await box.call('getStatusStatistic', undefined, { query: `idMessage=${seen.key.id}` })
      await sleep(300)
      return rows.find(row => row.status === 'read')
    }, 'the view', 20_000)
    assert.equal(statistic.participant, `${customer.phone}@c.us`)
    await box.call('deleteStatus', { idMessage: seen.key.id })
    await waitFor(() => [...customer.updates, ...customer.messages].find(u => JSON.stringify(u).includes(seen.key.id) && JSON.stringify(u).match(/REVOKE|"messageStubType":1|"type":0/)), 'the deletion', 20_000)
  })

  test('a status of a customer is no message to the till', { timeout }, async () => {
    await customer.socket.sendMessage('status@broadcast', { text: 'On holiday' }, { backgroundColor: '#445566', font: 1, statusJidList: [`${box.phone}@s.whatsapp.net`] })
    await customer.send(box.phone, 'after the status')
    const next = await box.nextWhere('any message', b => b.typeWebhook === 'incomingMessageReceived')
    assert.match(JSON.stringify(next.messageData), /after the status/)
  })
})
