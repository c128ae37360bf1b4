// A till that can only print: paper, QR code, and the receipt on a customer's phone (Baileys), through posthorn-sim.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'

import { downloadMediaMessage } from '@whiskeysockets/baileys'

import { Paper } from '../tills/printer.mjs'
import { BaileysClient } from './lib/baileys.mjs'
import { Daemon } from './lib/daemon.mjs'
import { Simulator } from './lib/simulator.mjs'
import { waitFor } from './lib/wait.mjs'

// The media host's certificate is made at its start; Baileys has no setting for another.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'

const timeout = 60_000
const cut = Buffer.from('\x1dV\x42\0', 'latin1')
const sale = total => Buffer.from(`\x1b@Caf\x82 Post\n1 Tee      2,40\nTOTAL   ${total}\n`, 'latin1')

function print(port, bytes) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes))
    socket.on('error', reject)
    socket.on('close', resolve)
    socket.resume()
  })
}

describe('a receipt by QR code', () => {
  let sim, box, paper, customer, port

  before(async () => {
    sim = await Simulator.start({ runFor: 300 })
    paper = await Paper.start()
    // Paced as in a shop: the answer has to be quick all the same.
    box = await new Daemon(sim, {
      unpaced: false,
      toml: `[receipts]\nshop = "Café Post"\n[printer.1]\nlisten = 0\nforward = "127.0.0.1:${paper.port}"\nqr = "native"\n`
    }).start()
    await box.link(sim)
    port = (await box.call('getReceiptPrinters'))[0].port
    customer = await BaileysClient.link(sim)
  }, { timeout })
  after(async () => {
    await customer?.stop()
    const violations = await sim.violations()
    await box?.dispose()
    await paper?.stop()
    await sim.stop()
    assert.deepEqual(violations, [])
  })

  const scan = printed => {
    const text = printed.toString('latin1')
    const link = text.match(new RegExp(`https://wa\\.me/${box.phone}\\?text=(R-[1-9A-Z]{5})`))
    assert.ok(link, text)
    return link[1]
  }
  const say = text => customer.socket.sendMessage(`${box.phone}@s.whatsapp.net`, { text })
  const pictures = () => customer.messages.filter(m => m.message?.imageMessage)

  let token
  test('the paper is the till\'s, with the code before the cut', { timeout }, async () => {
    const bytes = sale('2,40')
    await print(port, Buffer.concat([bytes, cut]))
    const printed = await paper.printed(bytes.length + cut.length + 100)
    assert.ok(printed.subarray(0, bytes.length).equals(bytes))
    assert.ok(printed.subarray(-cut.length).equals(cut))
    token = scan(printed)
  })

  test('who sends the code gets the receipt', { timeout }, async () => {
    const before = Date.now()
    await say(token)
    const message = await waitFor(() => pictures()[0], 'the receipt', 15_000)
    const took = Date.now() - before
    assert.equal(message.message.imageMessage.caption, 'Café Post\nReceipt 1 · 2,40')
    const got = await downloadMediaMessage(message, 'buffer', {})
    const answer = await fetch(`${box.url}/waInstance${box.id}/getReceipt/${box.token}?receiptId=1&form=png`)
    assert.ok(got.equals(Buffer.from(await answer.arrayBuffer())), 'the picture, decrypted')
    const [receipt] = await box.call('getReceipts')
    assert.equal(receipt.way, 'scan')
    assert.equal(receipt.idMessage, message.key.id)
    console.log(`scan to receipt: ${took} ms`)
  })

  test('the till is told', { timeout }, async () => {
    await box.nextWhere('printed', b => b.typeWebhook === 'receiptPrinted' && b.receipt.total === '2,40')
    const queued = await box.nextWhere('queued', b => b.typeWebhook === 'receiptQueued')
    assert.equal(queued.receipt.receiptId, 1)
  })

  test('posthornctl shows it and sends it', { timeout }, async () => {
    const ctl = (...words) => box.ctl('receipts', ...words)
    const list = await ctl()
    assert.match(list, new RegExp(`printer 1: tills print to port ${port}, which goes on to 127\\.0\\.0\\.1:${paper.port}; QR code native`))
    assert.match(list, / 1 {2}\d\d:\d\d {8}2,40 {2}\w+ by scan/)
    assert.match(await ctl('show', '1'), /1 Tee +2,40/)
    await print(port, Buffer.concat([sale('9,90'), cut]))
    await paper.printed(100)
    await waitFor(async () => (await box.call('getReceipts'))[0].total === '9,90', 'kept')
    assert.equal(await ctl('send', '2', `+${customer.phone}`), 'Receipt 2 is on its way.\n')
    const message = await waitFor(() => pictures()[1], 'the receipt of the counter', 30_000)
    assert.equal(message.message.imageMessage.caption, 'Café Post\nReceipt 2 · 9,90')
  })

  test('a power cut between paper and customer loses nothing', { timeout }, async () => {
    const bytes = Buffer.concat([sale('7,10'), cut])
    await print(port, bytes)
    const second = scan(await paper.printed(bytes.length + 100))
    await waitFor(async () => (await box.call('getReceipts'))[0].total === '7,10', 'kept')
    await box.kill()
    await box.start()
    await box.authorized()
    await say(second)
    const message = await waitFor(() => pictures()[2], 'the third receipt', 20_000)
    assert.equal(message.message.imageMessage.caption, 'Café Post\nReceipt 3 · 7,10')
    assert.equal(pictures().length, 3)
  })
})

test("a printer's port that somebody else has is told, holds up nothing, and is had when it is free", { timeout: 90_000 }, async () => {
  const somebody = createServer().listen(0, '127.0.0.1')
  await once(somebody, 'listening')
  const taken = somebody.address().port
  const sim = await Simulator.start({ runFor: 120 })
  const paper = await Paper.start()
  const box = await new Daemon(sim, {
    toml: `[printer.1]\nlisten = ${taken}\n[printer.2]\nlisten = 0\nforward = "127.0.0.1:${paper.port}"\n`
  }).start()
  try {
    await box.link(sim)
    const [first, second] = await box.call('getReceiptPrinters')
    assert.match(first.portTrouble, new RegExp(`^port ${taken} cannot be listened on`))
    assert.equal(second.portTrouble, '')
    const health = await (await fetch(`${box.url}/healthz`, { headers: { authorization: `Bearer ${box.token}` } })).json()
    assert.match(health.whatToDo, /^Tills cannot print: printer 1: port .* posthorn\.toml\.$/)
    const bytes = Buffer.concat([sale('2,40'), cut])
    await print(second.port, bytes)
    assert.ok((await paper.printed(bytes.length)).equals(bytes))
    somebody.close()
    const free = async () => (await box.call('getReceiptPrinters'))[0]
    await waitFor(async () => (await free()).port === taken, 'the port', 45_000)
    assert.equal((await free()).portTrouble, '')
  } finally {
    somebody.close()
    await box.dispose()
    await paper.stop()
    await sim.stop()
  }
})
