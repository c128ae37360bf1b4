// Tills that we did not write print through the box: byte for byte, and as receipts.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import ReceiptPrinterEncoder from '@point-of-sale/receipt-printer-encoder'
import { CharacterSet, ThermalPrinter, types } from 'node-thermal-printer'

import { Daemon } from '../interop/lib/daemon.mjs'
import { Simulator } from '../interop/lib/simulator.mjs'
import { waitFor } from '../interop/lib/wait.mjs'
import { Paper } from './printer.mjs'

const timeout = 60_000
const run = promisify(execFile)

/** A till that sends raw bytes: in pieces, and closes. */
function send(port, bytes, piece = bytes.length) {
  return new Promise((resolve, reject) => {
    let back = Buffer.alloc(0)
    const socket = connect(port, '127.0.0.1', async () => {
      socket.setNoDelay(true)
      for (let at = 0; at < bytes.length; at += piece) {
        socket.write(bytes.subarray(at, at + piece))
        if (piece < bytes.length) await new Promise(setImmediate)
      }
      socket.end()
    })
    socket.on('data', data => { back = Buffer.concat([back, data]) })
    socket.on('error', reject)
    socket.on('close', () => resolve(back))
  })
}

describe('tills', () => {
  let sim, box, paper, ports
  const newest = async () => (await box.call('getReceipts'))[0]
  const shown = id => box.call('getReceipt', undefined, { query: `receiptId=${id}` })
  const nextReceipt = before => waitFor(async () => {
    const receipt = await newest()
    return receipt && receipt.receiptId > before ? shown(receipt.receiptId) : null
  }, 'a receipt')

  before(async () => {
    sim = await Simulator.start({ runFor: 300 })
    paper = await Paper.start()
    box = await new Daemon(sim, {
      toml: `[receipts]\nshop = "Café Post"\n[printer.1]\nlisten = 0\nepos = true\nforward = "127.0.0.1:${paper.port}"
[printer.2]\nlisten = 0\nwidth = 58\n[printer.3]\nlisten = 0\nforward = "127.0.0.1:9"\n[printer.star]\nlisten = 0\nlanguage = "star"\n`
    }).start()
    ports = Object.fromEntries((await box.call('getReceiptPrinters')).map(one => [one.printer, one.port]))
  }, { timeout })
  after(async () => {
    await box?.dispose()
    await paper?.stop()
    await sim?.stop()
  })

  test('python-escpos: ten code pages, a barcode, a QR code, byte for byte', { timeout }, async () => {
    const python = process.env.POSTHORN_TILL_PYTHON
    const { stdout, stderr } = await run(python, ['escpos_till.py', '127.0.0.1', ports['1'], '--ask'], { encoding: 'buffer' })
    assert.match(stderr.toString(), /online True paper 2/)
    const printed = await paper.printed(stdout.length)
    const asked = printed.length - stdout.length
    assert.ok(printed.subarray(asked).equals(stdout), 'what is printed is what was sent')
    const receipt = await nextReceipt(0)
    const wanted = ['Shop', 'Café Tee 2,40', 'Grüße Übung', 'Žluťoučký kůň', 'Käse 3,00 €', 'Чек Спасибо', 'Сумма ЙЦУКЕН',
      'Crème brûlée œ', 'Ευχαριστώ', 'Teşekkürler ğ', 'Ačiū Žąsis', 'TOTAL 23.40']
    const lines = receipt.text.split('\n').map(line => line.trim())
    for (const line of wanted) assert.ok(lines.includes(line), `${line} in\n${receipt.text}`)
    assert.deepEqual(receipt.qrPayloads, ['https://example.com/r/118'])
    assert.equal(receipt.total, '23.40')
  })

  test('node-thermal-printer: asks for a connection first, then prints', { timeout }, async () => {
    const last = (await newest()).receiptId
    const till = new ThermalPrinter({ type: types.EPSON, interface: `tcp://127.0.0.1:${ports['1']}`, characterSet: CharacterSet.PC858_EURO })
    assert.equal(await till.isPrinterConnected(), true)
    till.alignCenter()
    till.println('Bäckerei')
    till.alignLeft()
    till.leftRight('Brötchen', '2,40 €')
    till.drawLine()
    till.leftRight('SUMME', '2,40')
    till.openCashDrawer()
    till.cut()
    const sent = till.getBuffer()
    await till.execute()
    assert.ok((await paper.printed(sent.length)).equals(sent))
    const receipt = await nextReceipt(last)
    assert.match(receipt.text, /Bäckerei/)
    assert.match(receipt.text, /Brötchen +2,40 €/)
    assert.equal(receipt.total, '2,40')
  })

  for (const language of ['esc-pos', 'star-prnt']) {
    test(`receipt-printer-encoder in ${language}`, { timeout }, async () => {
      const last = (await newest()).receiptId
      const encoder = new ReceiptPrinterEncoder({ language, columns: 42 })
      const bytes = Buffer.from(encoder.initialize().codepage('auto').align('center').bold(true).line('Épicerie').bold(false)
        .align('left').line('Œufs 3,20').qrcode('https://example.com/x').line('TOTAL 3,20').cut().encode())
      await send(language === 'esc-pos' ? ports['1'] : ports.star, bytes)
      if (language === 'esc-pos') assert.ok((await paper.printed(bytes.length)).equals(bytes))
      const receipt = await nextReceipt(last)
      assert.match(receipt.text, /Épicerie/)
      assert.match(receipt.text, /TOTAL 3,20/)
      assert.deepEqual(receipt.qrPayloads, ['https://example.com/x'])
      assert.equal(receipt.language, language === 'esc-pos' ? 'escpos' : 'star')
    })
  }

  test('ePOS-Print XML, as Odoo and web tills post it, from a page of another origin', { timeout }, async () => {
    const last = (await newest()).receiptId
    const url = `${box.url}/cgi-bin/epos/service.cgi?devid=local_printer&timeout=10000`
    const origin = 'https://shop.odoo.example'
    const asked = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,soapaction,if-modified-since', 'access-control-request-private-network': 'true' }
    })
    assert.equal(asked.headers.get('access-control-allow-private-network'), 'true')
    assert.match(asked.headers.get('access-control-allow-headers'), /SOAPAction/)
    const xml = body => `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><epos-print xmlns="http://www.epson-pos.com/schemas/2011/03/epos-print">${body}</epos-print></s:Body></s:Envelope>`
    const post = body => fetch(url, { method: 'POST', headers: { origin, 'content-type': 'text/xml; charset=utf-8', soapaction: '""' }, body })
    const dots = Buffer.alloc(72 * 16, 0xf0).toString('base64')
    const answer = await post(xml(`<text align="center" dw="true" dh="true">Bistro&#10;</text><text align="left" dw="false" dh="false">Käse &amp; Чек 2,40 €&#10;TOTAL 2,40&#10;</text><image width="576" height="16" color="color_1" mode="mono">${dots}</image><symbol type="qrcode_model_2" level="level_m" width="4">https://example.com/r</symbol><feed line="2"/><pulse drawer="drawer_1" time="pulse_100"/><cut type="feed"/>`))
    assert.equal(answer.headers.get('access-control-allow-origin'), '*')
    assert.match(await answer.text(), /<response success="true" code="" status="251658262"/)
    const printed = await paper.printed(72 * 16)
    assert.ok(printed.includes(Buffer.alloc(72 * 16, 0xf0)), 'the picture, dot for dot')
    const receipt = await nextReceipt(last)
    assert.match(receipt.text, /Käse & Чек 2,40 €/)
    assert.deepEqual(receipt.qrPayloads, ['https://example.com/r'])
    assert.equal(receipt.total, '2,40')
    assert.match(await (await post('<epos-print')).text(), /success="false" code="SchemaError"/)
    assert.match(await (await post(xml(''))).text(), /success="true"/)
  })

  test('pieces of one byte, with status requests in the middle of a picture', { timeout }, async () => {
    const picture = Buffer.alloc(8 + 72 * 24, 0x55)
    picture.set([0x1d, 0x76, 0x30, 0, 72, 0, 24, 0])
    const bytes = Buffer.concat([Buffer.from('Tea 2,40\n'), Buffer.from([0x10, 4, 1]), picture, Buffer.from([0x1d, 0x56, 0x42, 0])])
    const back = await send(ports['1'], bytes, 1)
    assert.ok((await paper.printed(bytes.length)).equals(bytes))
    assert.deepEqual([...back], [0x16])
    const png = await fetch(`${box.url}/waInstance${box.id}/getReceipt/${box.token}?receiptId=${(await newest()).receiptId}&form=png`)
    assert.equal(png.headers.get('content-type'), 'image/png')
  })

  test('a printer that is off makes the box refuse, within 3 s', { timeout }, async () => {
    const started = Date.now()
    await assert.rejects(send(ports['3'], Buffer.from('Tea\n\x1dV\0')), /ECONNRESET|EPIPE/)
    assert.ok(Date.now() - started < 3000)
    const printer = (await box.call('getReceiptPrinters')).find(one => one.printer === '3')
    assert.match(printer.trouble, /refused/)
  })

  test('without a printer the box says that it has paper', { timeout }, async () => {
    const back = await send(ports['2'], Buffer.from('\x10\x04\x04Tea 1,00\n\x1dV\0', 'latin1'))
    assert.deepEqual([...back], [0x12])
  })

  test('a slow printer gets every byte, and another that drops the line makes no receipt', { timeout }, async () => {
    const slow = await Paper.start({ bytesPerSecond: 2_000_000 })
    const broken = await Paper.start({ cutAt: 2000 })
    const second = await new Daemon(sim, {
      toml: `[printer.slow]\nlisten = 0\nforward = "127.0.0.1:${slow.port}"\n[printer.broken]\nlisten = 0\nforward = "127.0.0.1:${broken.port}"\n`
    }).start()
    try {
      const at = Object.fromEntries((await second.call('getReceiptPrinters')).map(one => [one.printer, one.port]))
      const rows = 5000
      const picture = Buffer.alloc(8 + 72 * rows, 0xaa)
      picture.set([0x1d, 0x76, 0x30, 0, 72, 0, rows & 255, rows >> 8])
      const job = Buffer.concat([picture, Buffer.from([0x1d, 0x56, 0])])
      await send(at.slow, job)
      assert.ok((await slow.printed(job.length, 20_000)).equals(job))
      await assert.rejects(send(at.broken, Buffer.concat([Buffer.from('Tea\n'), picture])), /ECONNRESET|EPIPE/)
      await waitFor(async () => (await second.call('getReceipts')).length === 1, 'one receipt')
    } finally {
      await second.dispose()
      await slow.stop()
      await broken.stop()
    }
  })
})
