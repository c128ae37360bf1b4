// Files of each kind between posthornd and Baileys, both ways, byte for byte, through posthorn-sim.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { deflateSync } from 'node:zlib'

import { downloadMediaMessage } from '@whiskeysockets/baileys'

import { BaileysClient } from './lib/baileys.mjs'
import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { spoken } from './lib/sounds.mjs'
import { waitFor } from './lib/wait.mjs'

// The media host's certificate is made at its start; Baileys has no setting for another.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'

const timeout = 180_000
const chat = phone => `${phone}@c.us`
const bytes = (start, size) => Buffer.concat([Buffer.from(start, 'latin1'), randomBytes(size)])

const files = {
  image: ['cake.jpg', 'image/jpeg', bytes('\xff\xd8\xff\xe0', 90_000), 'imageMessage'],
  video: ['film.mp4', 'video/mp4', bytes('\0\0\0\x18ftypmp42', 150_000), 'videoMessage'],
  audio: ['ring.mp3', 'audio/mpeg', bytes('ID3', 40_000), 'audioMessage'],
  voice: ['note.ogg', 'audio/ogg', Buffer.concat([Buffer.from('OggS'), Buffer.alloc(24), Buffer.from('OpusHead'), randomBytes(9000)]), 'audioMessage'],
  document: ['invoice 118.pdf', 'application/pdf', bytes('%PDF-1.7\n', 2_000_001), 'documentMessage']
}

/** A PNG of one colour; its checksums are ours to make. */
function png(width, height) {
  const crc = data => {
    let value = ~0
    for (const byte of data) {
      value ^= byte
      for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (0xedb88320 & -(value & 1))
    }
    return ~value >>> 0
  }
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const out = Buffer.alloc(body.length + 8)
    out.writeUInt32BE(data.length)
    body.copy(out, 4)
    out.writeUInt32BE(crc(body), body.length + 4)
    return out
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width)
  head.writeUInt32BE(height, 4)
  head.set([8, 2], 8)
  const rows = Buffer.alloc((width * 3 + 1) * height, 0x80)
  for (let y = 0; y < height; y++) rows[y * (width * 3 + 1)] = 0
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
}

/** Width and height of a baseline JPEG. */
function sizeOf(jpeg) {
  assert.equal(jpeg.readUInt16BE(), 0xffd8)
  for (let at = 2; at < jpeg.length; at += 2 + jpeg.readUInt16BE(at + 2)) {
    if (jpeg.readUInt16BE(at) === 0xffc0) return [jpeg.readUInt16BE(at + 7), jpeg.readUInt16BE(at + 5)]
  }
  assert.fail('no frame in the JPEG')
}

/** The part of a Baileys message that carries the file. */
const partOf = message =>
  message.message.documentWithCaptionMessage?.message.documentMessage ??
  message.message[Object.keys(message.message).find(key => /^(image|video|audio|document|sticker)Message$/.test(key))]

describe('files between posthornd and Baileys', () => {
  let sim, box, customer

  before(async () => {
    sim = await Simulator.start({ runFor: 900 })
    box = await new Daemon(sim).start()
    await box.link(sim)
    customer = await BaileysClient.link(sim)
  }, { timeout })
  after(async () => {
    await customer?.stop()
    const violations = await sim.violations()
    await box?.dispose()
    await sim.stop()
    assert.deepEqual(violations, [])
  })

  for (const [kind, [name, type, content]] of Object.entries(files)) {
    test(`${kind}: what the till uploads is what the customer opens`, { timeout }, async () => {
      const { idMessage, urlFile } = await box.form('sendFileByUpload', { chatId: chat(customer.phone), caption: 'Your copy' }, content, name, type)
      const message = await waitFor(() => customer.messages.find(m => m.key.id === idMessage && m.message), `${kind} ${idMessage}`, 30_000)
      const got = await downloadMediaMessage(message, 'buffer', {})
      assert.ok(got.equals(content), 'byte for byte')
      const part = partOf(message)
      assert.equal(Number(part.fileLength), content.length)
      if (kind === 'voice') assert.equal(part.ptt, true)
      if (kind === 'voice') assert.equal(part.mimetype, 'audio/ogg; codecs=opus')
      if (kind === 'document') assert.equal(part.fileName, name)
      if (kind === 'image' || kind === 'document') assert.equal(part.caption, 'Your copy')
      const link = await fetch(urlFile)
      assert.ok(Buffer.from(await link.arrayBuffer()).equals(content), 'the link reads the same')
    })
  }

  test('a picture has a thumbnail that can be read', { timeout }, async () => {
    const { idMessage } = await box.form('sendFileByUpload', { chatId: chat(customer.phone) }, png(800, 400), 'menu.png', 'image/png')
    const message = await waitFor(() => customer.messages.find(m => m.key.id === idMessage && m.message), 'the picture', 30_000)
    const { jpegThumbnail, width, height } = message.message.imageMessage
    assert.deepEqual([width, height], [800, 400])
    assert.deepEqual(sizeOf(Buffer.from(jpegThumbnail)), [100, 50])
    assert.ok(jpegThumbnail.length < 10_000)
  })

  test('a voice note shows where somebody speaks', { timeout }, async () => {
    const { idMessage } = await box.form('sendFileByUpload', { chatId: chat(customer.phone) }, spoken(), 'note.ogg', 'audio/ogg')
    const message = await waitFor(() => customer.messages.find(m => m.key.id === idMessage && m.message), 'the note', 30_000)
    const { seconds, waveform, ptt } = message.message.audioMessage
    assert.deepEqual([seconds, ptt, waveform.length], [3, true, 64])
    assert.deepEqual([waveform[5], waveform[32], waveform[60]], [0, 100, 0])
  })

  const outgoing = {
    image: content => ({ image: content, caption: 'Like this one', jpegThumbnail: Buffer.from('/9j/4AAQ', 'base64').toString('base64') }),
    video: content => ({ video: content, caption: 'Look', jpegThumbnail: '' }),
    audio: content => ({ audio: content, mimetype: 'audio/mpeg', seconds: 3 }),
    voice: content => ({ audio: content, mimetype: 'audio/ogg; codecs=opus', ptt: true, seconds: 3 }),
    document: content => ({ document: content, mimetype: 'application/pdf', fileName: 'invoice 118.pdf', caption: 'Thanks' })
  }
  for (const [kind, build] of Object.entries(outgoing)) {
    test(`${kind}: what the customer sends is what the till downloads`, { timeout }, async () => {
      const [, , content, typeMessage] = files[kind]
      const sent = await customer.socket.sendMessage(`${box.phone}@s.whatsapp.net`, build(content))
      const body = await box.nextWhere(`${kind} at the till`, b => b.idMessage === sent.key.id)
      const { messageData } = body
      assert.equal(messageData.typeMessage, typeMessage)
      const { downloadUrl, caption, fileName } = messageData.fileMessageData
      const got = Buffer.from(await (await fetch(downloadUrl)).arrayBuffer())
      assert.ok(got.equals(content), 'byte for byte')
      if (kind === 'image') assert.equal(caption, 'Like this one')
      if (kind === 'document') assert.equal(fileName, 'invoice 118.pdf')
      const again = await box.call('downloadFile', { chatId: chat(customer.phone), idMessage: sent.key.id })
      assert.equal(again.downloadUrl, downloadUrl)
      const part = await fetch(downloadUrl, { headers: { range: 'bytes=10-29' } })
      assert.equal(part.status, 206)
      assert.ok(Buffer.from(await part.arrayBuffer()).equals(content.subarray(10, 30)))
      const head = await fetch(downloadUrl, { method: 'HEAD' })
      assert.equal(head.headers.get('content-length'), String(content.length))
    })
  }

  test('what the host has dropped the phone uploads again', { timeout }, async () => {
    const { id, sha256 } = await sim.sendFile((await sim.addAccount({ name: 'Ida' })).phone, { to: box.phone, kind: 'image', mime: 'image/jpeg', size: 70_000 })
    const body = await box.nextWhere('photo', b => b.idMessage === id)
    await sim.media('expire')
    const answer = await fetch(body.messageData.fileMessageData.downloadUrl)
    assert.equal(answer.status, 200)
    const digest = await crypto.subtle.digest('SHA-256', await answer.arrayBuffer())
    assert.equal(Buffer.from(digest).toString('hex'), sha256)
  })
})
