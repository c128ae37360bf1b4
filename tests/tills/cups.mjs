// CUPS as a till: its filter for printers that print letters only, its backends "socket" and "lpd", without its server. Not part of ./tests/run:
//   toolchains/with-node node tests/tills/cups.mjs [FOLDER]
// FOLDER: of CUPS, with filter/ and backend/ (packages cups, cups-filters); /usr/lib/cups. POSTHORN_SIM, POSTHORN_DAEMON: programs to take.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Daemon } from '../interop/lib/daemon.mjs'
import { Simulator } from '../interop/lib/simulator.mjs'
import { waitFor } from '../interop/lib/wait.mjs'
import { Paper } from './printer.mjs'

const cups = process.argv[2] ?? '/usr/lib/cups'
const backend = name => [`${cups}/backend/${name}`, `${cups}/backend-available/${name}`].find(existsSync)
const freePort = () => new Promise(resolve => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })
})

const folder = mkdtempSync(join(tmpdir(), 'posthorn-cups-'))
// What texttotext asks a PPD for.
const ppd = join(folder, 'text.ppd')
writeFileSync(ppd, `*PPD-Adobe: "4.3"
*FormatVersion: "4.3"
*FileVersion: "1.0"
*LanguageVersion: English
*LanguageEncoding: ISOLatin1
*PCFileName: "TEXT.PPD"
*Manufacturer: "Generic"
*Product: "(Generic)"
*ModelName: "Generic text-only printer"
*ShortNickName: "Generic text-only printer"
*NickName: "Generic text-only printer"
*PSVersion: "(3010.000) 0"
*LanguageLevel: "3"
*ColorDevice: False
*DefaultColorSpace: Gray
*cupsFilter: "text/plain 0 texttotext"
*OpenUI *PageSize: PickOne
*DefaultPageSize: Roll
*PageSize Roll/Roll: ""
*CloseUI: *PageSize
*OpenUI *PageRegion: PickOne
*DefaultPageRegion: Roll
*PageRegion Roll/Roll: ""
*CloseUI: *PageRegion
*DefaultImageableArea: Roll
*ImageableArea Roll/Roll: "0 0 345 792"
*DefaultPaperDimension: Roll
*PaperDimension Roll/Roll: "345 792"
`)
const sale = join(folder, 'sale.txt')
writeFileSync(sale, 'Posthorn Cafe\n1 Tea            2,40\n1 Cake           3,00\nTOTAL            5,40\n')
const run = (program, args, uri, input) => {
  const done = spawnSync(program, args, {
    input, timeout: 60_000, env: { ...process.env, PPD: ppd, DEVICE_URI: uri, CONTENT_TYPE: 'text/plain', CHARSET: 'utf-8', PRINTER: 'till' }
  })
  assert.equal(done.status, 0, `${program}: ${done.stderr}`)
  return done.stdout
}

const sim = await Simulator.start({ runFor: 200 })
const paper = await Paper.start()
const lpd = await freePort()
const box = await new Daemon(sim, { toml: `[printer.1]\nlisten = 0\nlpd = ${lpd}\nforward = "127.0.0.1:${paper.port}"\n` }).start()
try {
  const job = run(`${cups}/filter/texttotext`, ['1', 'anna', 'sale', '1', '', sale], '')
  assert.match(job.toString('latin1'), /TOTAL +5,40/)
  const { port } = (await box.call('getReceiptPrinters'))[0]
  const file = join(folder, 'job')
  writeFileSync(file, job)
  const ways = { socket: `socket://127.0.0.1:${port}/?waiteof=false&snmp=false`, lpd: `lpd://127.0.0.1:${lpd}/raw` }
  for (const [count, [name, uri]] of Object.entries(ways).entries()) {
    run(backend(name), ['1', 'anna', 'sale', '1', '', file], uri)
    assert.ok((await paper.printed(job.length)).equals(job), `${name}: the paper is CUPS's, byte for byte`)
    await waitFor(async () => (await box.call('getReceipts')).length === count + 1, 'kept', 10_000)
    const [receipt] = await box.call('getReceipts')
    assert.equal(receipt.total, '5,40')
    console.log(`${name}: ${job.length} bytes on the paper, and receipt ${receipt.receiptId} with total ${receipt.total}`)
  }
} finally {
  await box.dispose()
  await paper.stop()
  await sim.stop()
  rmSync(folder, { recursive: true })
}
