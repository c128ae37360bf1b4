// Posthorn beside the script clients, the same work in the same run, against posthorn-sim in another process:
//   ./tests/run peers       or, with programs that are built:   tests/interop/run --plain peers.mjs [MESSAGES [PLOT.svg]]
// Posthorn does more for it: HTTP, a queue that survives a power cut, notifications, a sync before anything
// leaves. The others are only told to send, one message after the other, keep nothing and sync nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { Daemon, sleep } from './lib/daemon.mjs'
import { answers, cpu, median, memory, received, sent } from './lib/measure.mjs'
import { Simulator } from './lib/simulator.mjs'

const messages = Number(process.argv[2] ?? 2000) // a half sent, a half received, in each of three rounds
const plotPath = process.argv[3]
const rounds = 3
const quiet = 60_000 // until a client that was just linked counts as idle
const child = join(dirname(fileURLToPath(import.meta.url)), 'lib', 'peer.mjs')

/** posthornd, told what to send over HTTP. */
class Posthorn {
  name = 'Posthorn'
  constructor(sim) { this.sim = sim }
  get pid() { return this.box.process.pid }
  get phone() { return this.box.phone }
  async link() { this.box = await (await new Daemon(this.sim).start()).link(this.sim) }
  async restart() {
    await this.box.stop()
    const began = process.hrtime.bigint()
    const online = this.box.nextLog('state=online')
    await this.box.start()
    return Number(await online - began) / 1e6
  }
  send(customer, count) { return sent(this.box, customer, count) }
  receive(customer, count) { return received(this.box, this.sim, customer, count) }
  end() { return this.box.dispose() }
}

/** A Node client in a process of its own (lib/peer.mjs). */
class Peer {
  constructor(sim, name, kind) {
    Object.assign(this, { sim, name, kind })
    this.folder = mkdtempSync(join(tmpdir(), 'posthorn-peer-'))
  }
  get pid() { return this.process.pid }
  async start() {
    const args = [child, this.kind, this.folder, this.sim.url, this.sim.control, this.sim.rootKey]
    this.process = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let said = ''
    this.process.stderr.on('data', piece => { said = (said + piece).slice(-3000) })
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]()
    this.process.on('exit', code => { if (!this.ended) throw new Error(`${this.name} ended with ${code}: ${said}`) })
  }
  async answer() { return JSON.parse((await this.lines.next()).value) }
  async link() {
    await this.start()
    this.phone = (await this.answer()).open
  }
  async restart() {
    if (this.kind !== 'baileys-files') return undefined // what was linked is gone with the process
    await sleep(5000) // its files are written when it finds the time
    await this.end({ forget: false })
    const began = process.hrtime.bigint()
    await this.start()
    await this.answer()
    return Number(process.hrtime.bigint() - began) / 1e6
  }
  async per1000(order, count, work) {
    const before = cpu(this.pid)
    this.process.stdin.write(JSON.stringify(order) + '\n')
    await work?.()
    await this.answer()
    await sleep(500) // receipts of the last ones
    return (cpu(this.pid) - before) / count * 1000
  }
  send(customer, count) { return this.per1000({ send: customer.phone, count }, count) }
  receive(customer, count) { return this.per1000({ receive: count }, count, () => answers(this.sim, customer, this.phone, count)) }
  async end({ forget = true } = {}) {
    this.ended = true
    const gone = new Promise(resolve => this.process.once('exit', resolve))
    this.process.kill('SIGKILL')
    await gone
    this.ended = false
    if (forget) rmSync(this.folder, { recursive: true, force: true })
  }
}

/** One client through all of it, alone with a simulator of its own. */
async function measure(make) {
  const sim = await Simulator.start({ runFor: 1200 })
  const client = make(sim)
  await client.link()
  const starts = []
  for (let i = 0; i < rounds; i++) starts.push(await client.restart())
  await sleep(quiet)
  const idle = memory(client.pid).all
  // One device, so that every text goes to two: the customer's phone and our own.
  const customer = await sim.addAccount({ name: 'Customer', script: {} })
  await client.send(customer, 10) // the session is made
  await client.receive(customer, 10)
  const send = []
  const receive = []
  for (let i = 0; i < rounds; i++) {
    send.push(await client.send(customer, messages / 2))
    receive.push(await client.receive(customer, messages / 2))
  }
  const after = memory(client.pid)
  await client.end()
  await sim.stop()
  const row = { name: client.name, idle, after: after.all, peak: after.peak, start: median(starts), send: median(send), receive: median(receive) }
  console.error(JSON.stringify(row))
  return row
}

const all = rounds * messages
function markdown(rows) {
  return [
    `| client | linked and idle | after ${all} messages | highest | start to in | CPU per 1000 sent | CPU per 1000 received |`,
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map(r => `| ${r.name} | ${r.idle.toFixed(1)} MiB | ${r.after.toFixed(1)} MiB | ${r.peak.toFixed(1)} MiB | ` +
      `${r.start === undefined ? 'links anew' : `${r.start.toFixed(0)} ms`} | ${r.send.toFixed(3)} s | ${r.receive.toFixed(3)} s |`)
  ].join('\n') + '\n'
}

/** Bars from nothing, not logarithmic: the lengths are the figures. */
function svg(rows) {
  const step = 34
  const height = 104 + step * rows.length
  const chart = (left, title, value, unit, digits) => {
    const most = Math.max(...rows.map(value))
    return `<text x="${left}" y="40" class="title">${title}</text>\n` + rows.map((row, i) => {
      const y = 60 + step * i
      const width = Math.max(2, 170 * value(row) / most)
      return `<text x="${left}" y="${y + 15}" class="name">${row.name}</text>\n` +
        `<rect x="${left + 160}" y="${y}" width="${width.toFixed(1)}" height="20" class="${row.name === 'Posthorn' ? 'ours' : 'theirs'}"/>\n` +
        `<text x="${(left + 166 + width).toFixed(1)}" y="${y + 15}" class="value">${value(row).toFixed(digits)} ${unit}</text>\n`
    }).join('')
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1260 ${height}" font-family="sans-serif">
<style>.title{font-size:16px;font-weight:bold;fill:#222}.name,.value{font-size:12px;fill:#333}.ours{fill:#0a7d4f}.theirs{fill:#9aa5b1}</style>
<rect width="100%" height="100%" fill="#fff"/>
${chart(10, `Memory after ${all} messages`, r => r.after, 'MiB', 0)}${chart(430, 'CPU per 1000 sent', r => r.send, 's', 2)}${chart(850, 'CPU per 1000 received', r => r.receive, 's', 2)}` +
    `<text x="10" y="${height - 22}" class="name">The same work in the same run, against the same WhatsApp stand-in. Posthorn's figures include its HTTP API, its queue and the sync before anything leaves;</text>
<text x="10" y="${height - 8}" class="name">the others were only told to send, and keep no queue. Baileys 7.0.0-rc14 and zapo-js 0.3.0 on Node ${process.versions.node.split('.')[0]}.</text>
</svg>
`
}

const rows = []
for (const make of [
  sim => new Posthorn(sim),
  sim => new Peer(sim, 'Baileys, files', 'baileys-files'),
  sim => new Peer(sim, 'Baileys, in memory', 'baileys-memory'),
  sim => new Peer(sim, 'zapo, in memory', 'zapo-memory')
]) rows.push(await measure(make))
console.log(markdown(rows))
if (plotPath) writeFileSync(plotPath, svg(rows))
process.exit(0)
