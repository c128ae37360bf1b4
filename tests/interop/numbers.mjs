// The numbers of issue "main job" and of the design, measured against posthorn-sim in another process:
//   ./tests/run numbers        or, with programs that are built:   node tests/interop/numbers.mjs [messages]
// Release build; the throttle's pace and the HTTP rate limits are off. CPU is the daemon's own, all
// threads, user and system. `messages`: how many make the first memory mark (10,000).
import { execFileSync } from 'node:child_process'
import { closeSync, copyFileSync, existsSync, fdatasyncSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Daemon, sleep } from './lib/daemon.mjs'
import { findProgram, Simulator } from './lib/simulator.mjs'

const mark = Number(process.argv[2] ?? 10_000)
const batch = Math.floor(mark / 4) // sends to two devices, sends to three, and twice as many received
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const MiB = 2 ** 20

const row = (what, value, target = '') => console.log(`${what.padEnd(66)} ${value.padEnd(22)} ${target}`)
const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

// Memory ------------------------------------------------------------------------------------------

function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kib = name => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1])
  return { all: kib('VmRSS') / 1024, own: kib('RssAnon') / 1024, files: kib('RssFile') / 1024, peak: kib('VmHWM') / 1024 }
}

function memoryRow(what, pid, target) {
  const { all, own, files } = memory(pid)
  row(what, `${all.toFixed(1)} MiB`, target)
  row('  of it our own pages / program and libraries', `${own.toFixed(1)} / ${files.toFixed(1)} MiB`)
}

// CPU of all threads, in seconds.
function cpu(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`)
  return tasks.reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]), 0) / 1e9
}

// Requests ----------------------------------------------------------------------------------------

const agent = new Agent({ keepAlive: true, maxSockets: 64 })

function post(box, chatId, message) {
  const body = JSON.stringify({ chatId, message })
  return new Promise((resolve, reject) => {
    const out = request(`${box.url}/waInstance${box.id}/sendMessage/${box.token}`, {
      agent, method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    }, answer => {
      let text = ''
      answer.on('data', piece => { text += piece })
      answer.on('end', () => answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode} ${text}`)))
    })
    // A daemon that died says why in its log; "connection refused" alone would not.
    out.on('error', error => reject(new Error(`${error.message}\n${box.log.slice(-3000)}`)))
    out.end(body)
  })
}

/** Posts `count` messages from `clients` at once; gives the rate per second. */
async function postAll(box, chatId, count, clients, text) {
  const began = process.hrtime.bigint()
  let next = 0
  await Promise.all(Array.from({ length: clients }, async () => {
    while (next < count) await post(box, chatId, text(next++))
  }))
  return count / (Number(process.hrtime.bigint() - began) / 1e9)
}

async function metric(box, name) {
  const text = await (await fetch(`${box.url}/metrics`)).text()
  return Number(new RegExp(`^posthorn_${name.replace(/[{}"]/g, '\\$&')} (.*)$`, 'm').exec(text)?.[1] ?? 0)
}

/** CPU seconds per 1,000 of what `work` does `count` times, until `name` counts them all. */
async function cpuPer1000(box, name, count, work) {
  const target = (await metric(box, name)) + count
  const before = cpu(box.process.pid)
  await work()
  // Seldom: each look costs the daemon as much as a message.
  for (const end = Date.now() + 300_000; (await metric(box, name)) < target; await sleep(500)) {
    if (Date.now() > end) throw new Error(`less than ${count} of ${name} in 300 s\n${box.log.slice(-3000)}`)
  }
  await sleep(500) // receipts of the last ones
  return (cpu(box.process.pid) - before) / count * 1000
}

let serial = 0 // no text twice: the throttle takes a repeat for a double post
const sent = (box, customer, count) => cpuPer1000(box, 'jobs_total{fate="sent"}', count,
  () => postAll(box, `${customer.phone}@c.us`, count, 8, () => `receipt ${serial++}`))

const received = (box, sim, customer, count) => cpuPer1000(box, 'messages_received_total', count, async () => {
  for (let i = 0; i < count; i += 500) {
    await sim.send(customer.phone, { to: box.phone, text: 'answer %d', count: Math.min(500, count - i) })
  }
})

// The parts ---------------------------------------------------------------------------------------

function size() {
  for (const [name, program, strip] of [
    ['this machine', findProgram('POSTHORN_DAEMON', 'firmware/daemon/posthornd'), 'strip'],
    ['arm64', join(root, 'build/arm64/firmware/daemon/posthornd'), 'aarch64-linux-gnu-strip']
  ]) {
    if (!existsSync(program)) {
      row(`posthornd stripped, ${name}`, 'not built', '<= 3 MiB on arm64')
      continue
    }
    const stripped = `${program}.stripped`
    copyFileSync(program, stripped)
    execFileSync(strip, [stripped])
    row(`posthornd stripped, ${name}`, `${(statSync(stripped).size / MiB).toFixed(2)} MiB`, '<= 3 MiB on arm64')
  }
}

/** Appends and syncs of the same size on the same disk: what one durable POST can reach at best. */
function rawRate(folder, bytes, count) {
  const file = openSync(join(folder, 'raw'), 'w')
  for (let i = 0; i < 256; i++) writeSync(file, Buffer.alloc(65536), 0, 65536, i * 65536)
  fdatasyncSync(file)
  const began = process.hrtime.bigint()
  for (let i = 0; i < count; i++) {
    writeSync(file, Buffer.alloc(bytes, 1), 0, bytes, i * bytes)
    fdatasyncSync(file)
  }
  closeSync(file)
  return count / (Number(process.hrtime.bigint() - began) / 1e9)
}

async function durablePosts(sim) {
  // Not linked: jobs are accepted and wait, so nothing but accepting is measured.
  const box = await new Daemon(sim).start()
  const text = i => `${i} `.padEnd(512, 'x')
  const raw = rawRate(box.folder, 800, 1000)
  await postAll(box, '4915550000001@c.us', 100, 1, text)
  const one = await postAll(box, '4915550000001@c.us', 1000, 1, text)
  const many = await postAll(box, '4915550000001@c.us', 8000, 64, text)
  row('durable POSTs/s, one client', `${one.toFixed(0)} /s`, `>= 0.9 of raw append + fdatasync (${raw.toFixed(0)} /s)`)
  row('durable POSTs/s, 64 clients', `${many.toFixed(0)} /s`, `>= 10 times one client (${(many / one).toFixed(1)} times)`)
  await box.dispose()
}

async function starts(box) {
  const times = []
  for (let i = 0; i < 7; i++) {
    await box.stop()
    const began = process.hrtime.bigint()
    const online = box.nextLog('state=online')
    await box.start()
    times.push(Number(await online - began) / 1e6)
  }
  row('process start to authorized, median of 7', `${median(times).toFixed(0)} ms`, '<= 150 ms')
  row('  best and worst', `${Math.min(...times).toFixed(0)} / ${Math.max(...times).toFixed(0)} ms`)
}

/** A quarter of `mark` sent to two devices, a quarter to three, half of it received. */
async function traffic(sim, box, phone, pair) {
  const two = await sent(box, phone, batch)
  const three = await sent(box, pair, batch)
  const back = await received(box, sim, phone, 2 * batch)
  row("CPU per 1000 sent: customer's phone and our own phone", `${two.toFixed(3)} s`, '<= 0.15 s (POST, receipts, notifications included)')
  row("CPU per 1000 sent: customer's phone and computer, our own phone", `${three.toFixed(3)} s`)
  row('CPU per 1000 received', `${back.toFixed(3)} s`, '<= 0.05 s')
}

const sim = await Simulator.start({ runFor: 1800 })
size()
await durablePosts(sim)

const box = await new Daemon(sim).start()
memoryRow('resident memory, not linked', box.process.pid)
await box.link(sim)
await sleep(70_000) // prekeys uploaded, queries of the login done, free heap given back
memoryRow('resident memory, linked and idle', box.process.pid, '<= 12 MiB')
row('  its highest point, while the first prekeys were made', `${memory(box.process.pid).peak.toFixed(1)} MiB`)
await starts(box)
await sleep(5000)
memoryRow('resident memory, linked and idle, after a restart', box.process.pid, '<= 12 MiB')

const phone = await sim.addAccount({ name: 'One device', script: {} })
const pair = await sim.addAccount({ name: 'Two devices', companions: 1, script: {} })
for (const one of [phone, pair]) await sent(box, one, 10) // sessions are made
for (const [messages, target] of [[mark, '<= 16 MiB after 10,000'], [2 * mark, 'no growth']]) {
  await traffic(sim, box, phone, pair)
  memoryRow(`resident memory after ${messages} messages, notifications waiting`, box.process.pid, target)
  await box.call('clearWebhooksQueue', undefined, { verb: 'DELETE' })
  await sleep(70_000)
  memoryRow(`resident memory after ${messages} messages, notifications taken`, box.process.pid, target)
}

const violations = await sim.violations()
await box.dispose()
await sim.stop()
if (violations.length > 0) throw new Error(JSON.stringify(violations.slice(0, 3)))
process.exit(0)
