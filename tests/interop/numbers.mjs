// The numbers of issue "main job" and of the design, measured against posthorn-sim in another process:
//   ./tests/run numbers        or, with programs that are built:   tests/interop/run --plain numbers.mjs [messages]
// Release build; the throttle's pace and the HTTP rate limits are off. CPU is the daemon's own, all
// threads, user and system. `messages`: how many make the first memory mark (10,000).
import { execFileSync } from 'node:child_process'
import { closeSync, copyFileSync, existsSync, fdatasyncSync, openSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Daemon, sleep } from './lib/daemon.mjs'
import { median, memory, postAll, received, sent } from './lib/measure.mjs'
import { findProgram, Simulator } from './lib/simulator.mjs'

const mark = Number(process.argv[2] ?? 10_000)
const batch = Math.floor(mark / 4) // sends to two devices, sends to three, and twice as many received
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const MiB = 2 ** 20

const row = (what, value, target = '') => console.log(`${what.padEnd(66)} ${value.padEnd(22)} ${target}`)

function memoryRow(what, pid, target) {
  const { all, own, files } = memory(pid)
  row(what, `${all.toFixed(1)} MiB`, target)
  row('  of it our own pages / program and libraries', `${own.toFixed(1)} / ${files.toFixed(1)} MiB`)
}

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
